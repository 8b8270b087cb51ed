"""Keepalive, limits and version that both ends of the wire must agree on."""

from __future__ import annotations

# Raised when a frame changes its meaning; neighbouring releases must still talk to each other.
PROTOCOL = 1

# The agent speaks this often; a heartbeat also renews its leases.
HEARTBEAT_MS = 10_000

# A batch stays far below the 1 MiB frame limit: a larger frame kills the whole stream, not just itself.
MAX_BATCH_BYTES = 256 * 1024
MAX_BATCH_EVENTS = 200
MAX_FRAME_BYTES = 1024 * 1024

Options = list[tuple[str, int]]

# Without ping_timeout_ms a black-holed link was noticed after 60-70 s; with it within 25 s. It overrides the
# keepalive timeout, which is kept for older cores.
_KEEPALIVE: Options = [
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", MAX_FRAME_BYTES),
    ("grpc.max_send_message_length", MAX_FRAME_BYTES),
]


def agent_options() -> Options:
    """Return the channel options of an agent."""
    return [
        *_KEEPALIVE,
        # Nothing that acts is repeated by the channel.
        ("grpc.enable_retries", 0),
        ("grpc.initial_reconnect_backoff_ms", 1_000),
        ("grpc.max_reconnect_backoff_ms", 30_000),
    ]


def controller_options() -> Options:
    """Return the server options of a controller."""
    return [
        *_KEEPALIVE,
        # A server that allows fewer pings than its clients send drops them with "too_many_pings".
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        # A hard bound on how long a revoked certificate can live on an open stream.
        ("grpc.max_connection_age_ms", 3_600_000),
        ("grpc.max_connection_age_grace_ms", 30_000),
        ("grpc.max_concurrent_streams", 32),
        # 2,000 streams opened at once lost up to 9 % of them at the default.
        ("grpc.server.max_pending_requests", 10_000),
        # Two servers must not share a port silently.
        ("grpc.so_reuseport", 0),
    ]
