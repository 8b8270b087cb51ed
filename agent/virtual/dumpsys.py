"""`dumpsys`: the sections that adbutils, uiautomator2 and the agent read."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

from agent.virtual.handset import Handset
from agent.virtual.packages import Package
from agent.virtual.shell import Call, Command
from agent.virtual.ui import Notification

_CHINA = timezone(timedelta(hours=8))
DISPLAY_ID = 4_619_827_259_835_644_672
Section = Callable[[Handset, list[str]], Iterator[str]]


def _hash(text: str) -> str:
    return f"{zlib.crc32(text.encode()):x}"


def _component(phone: Handset) -> str:
    package, activity = phone.focus()
    return f"{package}/{activity}"


def _battery(phone: Handset, args: list[str]) -> Iterator[str]:
    _ = args
    yield "Current Battery Service state:"
    yield "  AC powered: false"
    yield "  USB powered: true"
    yield "  Wireless powered: false"
    yield "  Max charging current: 500000"
    yield f"  status: {5 if phone.battery_percent >= 100 else 2}"
    yield "  health: 2"
    yield "  present: true"
    yield f"  level: {phone.battery_percent}"
    yield "  scale: 100"
    yield "  voltage: 4123"
    yield f"  temperature: {phone.battery_decidegrees}"
    yield "  technology: Li-ion"


def _window(phone: Handset, args: list[str]) -> Iterator[str]:
    package, _ = phone.focus()
    shown = _component(phone)
    if args[:1] != ["windows"]:
        yield "WINDOW MANAGER POLICY STATE (dumpsys window policy)"
        awake = "AWAKE" if phone.screen_on else "ASLEEP"
        yield f"    mAwake={str(phone.screen_on).lower()} mScreenOnFully={str(phone.screen_on).lower()}"
        yield f"    screenState=SCREEN_STATE_{'ON' if phone.screen_on else 'OFF'} interactiveState={awake}"
        yield "    showing=false"
        yield "    mShowingLockscreen=false mShowingDream=false mDreamingLockscreen=false"
    yield "WINDOW MANAGER WINDOWS (dumpsys window windows)"
    yield f"  Window #0 Window{{{_hash('StatusBar')} u0 StatusBar}}:"
    yield f"  Window #1 Window{{{_hash(package)} u0 {shown}}}:"
    if phone.system_ui.shade_is_open:
        yield f"  mCurrentFocus=Window{{{_hash('shade')} u0 NotificationShade}}"
    elif phone.screen_on:
        yield f"  mCurrentFocus=Window{{{_hash(package)} u0 {shown}}}"
    else:
        yield "  mCurrentFocus=null"
    yield f"  mFocusedApp=ActivityRecord{{{_hash(shown)} u0 {shown} t12}}"


def _activity(phone: Handset, args: list[str]) -> Iterator[str]:
    shown = _component(phone)
    package, _ = phone.focus()
    process = phone.processes.named(package)
    if args[:1] == ["top"]:
        yield "TASK 10000:12 id=12 userId=0"
        yield f"  ACTIVITY {shown} {_hash(shown)} pid={process.pid if process else 0}"
        return
    yield "ACTIVITY MANAGER ACTIVITIES (dumpsys activity activities)"
    yield "Display #0 (activities from top to bottom):"
    yield f"    mResumedActivity: ActivityRecord{{{_hash(shown)} u0 {shown} t12}}"
    yield f"  ResumedActivity: ActivityRecord{{{_hash(shown)} u0 {shown} t12}}"


def _package(phone: Handset, args: list[str]) -> Iterator[str]:
    names = [word for word in args if not word.startswith("-")]
    chosen = [phone.packages.get(name) for name in names] if names else list(phone.packages)
    found = [package for package in chosen if package is not None]
    if not found:
        yield f"Unable to find package: {names[0] if names else ''}"
        return
    yield "Packages:"
    for package in found:
        yield from _one_package(package)


def _one_package(package: Package) -> Iterator[str]:
    flags = "SYSTEM HAS_CODE PERSISTENT" if package.is_system else "HAS_CODE ALLOW_CLEAR_USER_DATA"
    yield f"  Package [{package.name}] ({_hash(package.name)}):"
    yield f"    userId={package.uid}"
    yield f"    codePath={package.path.rpartition('/')[0]}"
    yield f"    versionCode={package.version_code} minSdk=23 targetSdk={package.target_sdk}"
    yield f"    versionName={package.version_name}"
    if package.installer:
        yield f"    installerPackageName={package.installer}"
    yield f"    pkgFlags=[ {flags} ]"
    yield f"    firstInstallTime={_local(package.installed_at_ms)}"
    yield f"    lastUpdateTime={_local(package.updated_at_ms)}"
    yield f"    signatures=PackageSignatures{{{_hash(package.name)} version:2, signatures:[{_hash('key')}]}}"
    yield "      android.permission.READ_CONTACTS: granted=true"


def _local(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1_000, _CHINA):%Y-%m-%d %H:%M:%S}"


def _display(phone: Handset, args: list[str]) -> Iterator[str]:
    _ = args
    width, height = phone.width, phone.height
    yield "DISPLAY MANAGER (dumpsys display)"
    yield (
        "  mViewports=[DisplayViewport{type=INTERNAL, valid=true, isActive=true, displayId=0, "
        f"uniqueId='local:{DISPLAY_ID}', physicalPort=0, orientation={phone.rotation}, "
        f"logicalFrame=Rect(0, 0 - {width}, {height}), physicalFrame=Rect(0, 0 - {width}, {height}), "
        f"deviceWidth={width}, deviceHeight={height}}}]"
    )


def _power(phone: Handset, args: list[str]) -> Iterator[str]:
    _ = args
    is_on = phone.screen_on
    yield "POWER MANAGER (dumpsys power)"
    yield f"  mWakefulness={'Awake' if is_on else 'Asleep'}"
    yield f"  mHoldingDisplaySuspendBlocker={str(is_on).lower()}"
    yield f"Display Power: state={'ON' if is_on else 'OFF'}"


def _notification(phone: Handset, args: list[str]) -> Iterator[str]:
    is_open = "--noredact" in args
    yield "Current Notification Manager state:"
    yield "  Notification List:"
    for package, entry in phone.notifications():
        yield from _one_notification(phone, package, entry, is_open=is_open)
    yield "  "
    yield "  mSoundNotificationKey=null"
    yield "  mVibrateNotificationKey=null"
    yield "  mArchive=Archive (0 notifications)"


def _one_notification(phone: Handset, package: str, entry: Notification, *, is_open: bool) -> Iterator[str]:
    installed = phone.packages.get(package)
    uid = installed.uid if installed else 0
    key = f"0|{package}|{entry.key_id}|null|{uid}"

    def extra(text: str) -> str:
        return f"String ({text})" if is_open else f"String [length={len(text)}]"

    yield (
        f"    NotificationRecord(0x{_hash(key)}: pkg={package} user=UserHandle{{0}} id={entry.key_id} "
        f"tag=null importance=4 key={key}: Notification(channel={entry.channel} shortcut=null "
        "contentView=null vibrate=null sound=null defaults=0x0 flags=0x11 color=0x00000000 vis=PRIVATE))"
    )
    yield f"      uid={uid} userId=0"
    yield f"      opPkg={package}"
    yield f"      icon=Icon(typ=RESOURCE pkg={package} id=0x7f080a1b)"
    yield "      flags=0x11"
    yield "      pri=0"
    yield f"      key={key}"
    yield "      seen=true"
    yield f"      groupKey={key}"
    yield f"      when={entry.when_ms}"
    yield f"      tickerText={entry.ticker if is_open else entry.ticker[:1] + '...'}"
    yield "      extras={"
    yield f"        android.title={extra(entry.title)}"
    yield "        android.subText=null"
    yield "        android.showChronometer=Boolean (false)"
    yield f"        android.text={extra(entry.text)}"
    yield "        android.progress=Integer (0)"
    yield "        android.showWhen=Boolean (true)"
    yield "      }"
    yield f"      mChannel=NotificationChannel{{mId='{entry.channel}', mName={entry.channel}, mImportance=4}}"


def _surface_flinger(phone: Handset, args: list[str]) -> Iterator[str]:
    if "--display-id" in args:
        yield f'Display {DISPLAY_ID} (HWC display 0): port=0 pnpId=VRT displayName="{phone.model}"'
    else:
        yield f"Display {DISPLAY_ID} HWC layers:"


def _input_method(phone: Handset, args: list[str]) -> Iterator[str]:
    _ = args
    field = phone.keyboard.focused()
    yield "Current Input Method Manager state:"
    yield f"  mCurMethodId={phone.keyboard.current_input_method}"
    yield f"  mInputShown={str(field is not None).lower()}"


_SECTIONS: dict[str, Section] = {
    "battery": _battery,
    "window": _window,
    "activity": _activity,
    "package": _package,
    "display": _display,
    "power": _power,
    "notification": _notification,
    "SurfaceFlinger": _surface_flinger,
    "input_method": _input_method,
}


async def _dumpsys(call: Call) -> int:
    args = list(call.args)
    if args[:1] == ["-l"] or not args:
        call.out.line("Currently running services:")
        for name in _SECTIONS:
            call.out.line(f"  {name}")
        return 0
    section = _SECTIONS.get(args[0])
    if section is None:
        call.out.line(f"Can't find service: {args[0]}")
        return 0
    if args[0] == "battery" and args[1:2] == ["set"]:
        return _set_battery(call, args[2:])
    for line in section(call.handset, args[1:]):
        call.out.line(line)
    return 0


def _set_battery(call: Call, args: list[str]) -> int:
    match args:
        case ["level", value]:
            call.handset.battery_percent = int(value)
        case ["temp", value]:
            call.handset.battery_decidegrees = int(value)
        case _:
            return call.fail("Unknown set option", 255)
    return 0


COMMANDS: dict[str, Command] = {"dumpsys": _dumpsys}
