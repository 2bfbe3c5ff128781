"""A visitor without a browser, who sends to the running app whatever they like."""

import contextlib
import json
import secrets
from pathlib import Path

import httpx

# Each place of the page that takes a file: the component with the file, and the one whose event looks at it.
DOORS = {
    "photo": ("photo", "photo"),
    "redraw": ("photo", "opacity"),
    "inside": ("photo", "inside-tab"),
    "clip": ("clip", "clip-start"),
    "files": ("batch-files", "batch-start"),
    "camera": ("live-camera", "live-camera"),
}


class Visitor:
    """Speaks to the app as its own page does.

    In a `with` block the visitor's page is open, by the connection that a browser holds for as long; without one, the
    app never learns that the visitor has left.

    Args:
        address: str. Where the app is, without a slash at the end.
        patience: float. Seconds after which an answer counts as missing.
        comes_from: str or `None`. The address that a proxy on this machine would name as the visitor's. Defaults to
            none: all visitors share this machine's.
    """

    def __init__(self, address, patience=120.0, comes_from=None):
        headers = {"X-Forwarded-For": comes_from} if comes_from else {}
        self.http = httpx.Client(base_url=address, timeout=patience, headers=headers)
        self.session = secrets.token_hex(6)
        self.config = self.http.get("/config").raise_for_status().json()
        self.components = {component["id"]: component for component in self.config["components"]}

    def __enter__(self):
        self._page = contextlib.ExitStack()
        self._page.enter_context(self.http.stream("GET", f"/gradio_api/heartbeat/{self.session}"))
        return self

    def __exit__(self, *_):
        self._page.close()

    def upload(self, content, name):
        """Uploads bytes or the file of a path and gives the path that the server chose."""
        content = content if isinstance(content, bytes) else Path(content).read_bytes()
        answer = self.http.post("/gradio_api/upload", files={"files": (name, content)})
        return answer.raise_for_status().json()[0]

    def file(self, content, name):
        """The same, as the value of a component."""
        return {"path": self.upload(content, name), "orig_name": name, "meta": {"_type": "gradio.FileData"}}

    def dependency(self, door):
        """The event of a door, as the config describes it."""
        component, trigger = DOORS[door]
        for dependency in self.config["dependencies"]:
            names = {self._name(target) for target, event in dependency["targets"] if event != "clear"}
            if trigger in names and component in map(self._name, dependency["inputs"]):
                return dependency
        raise LookupError(f"no event of {trigger} takes {component}")

    def _name(self, number):
        return self.components[number]["props"].get("elem_id") if number in self.components else None

    def send(self, door, value, **values):
        """Gives a value to a door and waits for the answer.

        Args:
            door: str, a key of `DOORS`, or "api" for /segment.
            value: what its component shall hold.
            values: what other components shall hold instead of their first value, by name with `_` for `-`.

        Returns:
            The last message of the queue, a dict; or with `error`, `status` and `success` if it did not get that far.
        """
        number, data = self.event(door, value, **values)
        return self.join(number, data, patient=door != "camera")

    def event(self, door, value, **values):
        """The number of a door's event, and the data that `send` would give it."""
        if door == "api":
            (dependency,) = (entry for entry in self.config["dependencies"] if entry["api_name"] == "segment")
            return dependency["id"], [value, values.get("confidence", 0.5), values.get("model", "cat")]
        dependency = self.dependency(door)
        data = []
        for number in dependency["inputs"]:
            name = (self._name(number) or "").replace("-", "_")
            first = self.components[number]["props"].get("value")
            data.append(value if self._name(number) == DOORS[door][0] else values.get(name, first))
        return dependency["id"], data

    def begin(self, number, data):
        """Joins the queue with an event's number and its data, and gives the answer to that."""
        body = {"fn_index": number, "data": data, "session_hash": self.session, "event_data": None}
        return self.http.post("/gradio_api/queue/join", json=body)

    def join(self, number, data, patient=True):
        """Joins the queue and waits for the end, or, not `patient`, for the first answer, see `send`."""
        answer = self.begin(number, data)
        if answer.status_code != 200:
            return {"success": False, "status": answer.status_code, "output": {"error": answer.json()["detail"]}}
        event = answer.json()["event_id"]
        with self.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": self.session}) as stream:
            for line in stream.iter_lines():
                message = json.loads(line[5:]) if line.startswith("data:") else {}
                if message.get("event_id") != event:
                    continue
                if message["msg"] == "process_completed":
                    return message
                if message["msg"] in ("process_generating", "process_streaming") and not patient:
                    self.http.post(f"/gradio_api/stream/{event}/close")
                    return message
        raise AssertionError("the queue ended without an answer")


def words(message):
    """All that an answer says, as one text."""
    return json.dumps(message.get("output"))
