"""What each answer tells the browser not to do, and what proxies are believed."""

import os

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors {frames}"
)
# Where a Space's page is shown in a frame of.
SPACE_FRAMES = "https://huggingface.co https://*.hf.space"
FORWARDED = (b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-port", b"x-forwarded-prefix", b"forwarded")


def security_headers():
    """The headers of every answer, a list of pairs of bytes.

    FRAME_ANCESTORS in the environment names who may show the page in a frame, as in `https://example.org`; by default
    nobody else, and on a Space its host.
    """
    frames = os.environ.get("FRAME_ANCESTORS") or ("'self' " + SPACE_FRAMES if os.environ.get("SPACE_ID") else "'self'")
    frames = " ".join(frames.replace(";", " ").split())
    headers = {
        "content-security-policy": POLICY.format(frames=frames),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "permissions-policy": "camera=(self), microphone=(self), geolocation=(), payment=(), usb=()",
        "cross-origin-opener-policy": "same-origin-allow-popups",
    }
    if frames == "'self'":
        headers["x-frame-options"] = "SAMEORIGIN"
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def believes_proxy():
    """Whether what a proxy says of the visitor's request counts: on a Space, or where FORWARDED_ALLOW_IPS is set."""
    return bool(os.environ.get("SPACE_ID") or os.environ.get("FORWARDED_ALLOW_IPS"))
