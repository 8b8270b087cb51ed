"""The window of the soft keyboard: one of the roots of a dump while a person types."""

from __future__ import annotations

from agent.virtual.ui import Look, Node, Rect

PACKAGE = "com.android.inputmethod.latin"
HEIGHT_SHARE = 0.36
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def keyboard_px(height: int) -> int:
    """Return how high the keyboard is on a screen of this height."""
    return round(height * HEIGHT_SHARE)


def keyboard_window(width: int, height: int) -> Node:
    """Return the window with its keys, which accessibility sees as plain views with a description."""
    top = height - keyboard_px(height)
    row_px = keyboard_px(height) // (len(ROWS) + 1)
    keys = [
        Node(
            bounds=Rect(
                n * width // len(row),
                top + y * row_px,
                (n + 1) * width // len(row),
                top + (y + 1) * row_px,
            ),
            package=PACKAGE,
            desc=letter,
        )
        for y, row in enumerate(ROWS)
        for n, letter in enumerate(row)
    ]
    return Node(
        bounds=Rect(0, top, width, height),
        cls="android.widget.FrameLayout",
        package=PACKAGE,
        look=Look(fill="#d2d5da"),
        children=keys,
    )
