# SPDX-License-Identifier: Apache-2.0
"""One headless Chromium, driven through a pair of pipes (its debugging
protocol as JSON, each message ended by a NUL). It can reach no host: every
name resolves to nothing, and what is left goes to a proxy that is not there.
What pages ask for nevertheless is kept in `requests`."""
import json
import os
import shutil
import subprocess
import tempfile

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ["--headless=new", "--no-sandbox", "--disable-gpu",
           "--disable-dev-shm-usage", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--no-first-run",
           "--hide-scrollbars", "--force-color-profile=srgb",
           "--font-render-hinting=none", "--remote-debugging-pipe",
           "--host-resolver-rules=MAP * ~NOTFOUND",
           "--proxy-server=127.0.0.1:1", "--proxy-bypass-list=<-loopback>"]
HARMLESS = ("data:", "about:", "blob:")


def find():
    return next((p for p in map(shutil.which, NAMES) if p), None)


class Chromium:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="screens-")
        self.requests = []
        self.count = 0
        self.session = None
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        # Its side has to be the descriptors 3 and 4.
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "-",
             find(), *OPTIONS, f"--user-data-dir={self.profile}",
             "about:blank"],
            pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=dict(os.environ, HOME=self.profile))
        os.close(theirs_in)
        os.close(theirs_out)
        self.out = os.fdopen(ours_out, "wb")
        self.inp = os.fdopen(ours_in, "rb", buffering=1 << 20)
        self.rest = b""

    def __enter__(self):
        pages = [t for t in self.call("Target.getTargets")["targetInfos"]
                 if t["type"] == "page"]
        self.session = self.call("Target.attachToTarget", flatten=True,
                                 targetId=pages[0]["targetId"])["sessionId"]
        self.call("Network.enable")
        self.call("Page.enable")
        return self

    def __exit__(self, *_):
        try:
            self.session = None
            self.call("Browser.close")
            self.process.wait(10)
        except (OSError, EOFError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.out.close()
        self.inp.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def receive(self):
        while b"\0" not in self.rest:
            more = self.inp.read1(1 << 20)
            if not more:
                raise EOFError("Chromium ended")
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.out.write(json.dumps(message).encode() + b"\0")
        self.out.flush()
        while True:
            answer = self.receive()
            if answer.get("method") == "Network.requestWillBeSent":
                url = answer["params"]["request"]["url"]
                if not url.startswith(HARMLESS):
                    self.requests.append(url)
            if answer.get("id") == self.count:
                break
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def evaluate(self, expression):
        """The value of JavaScript, once its promise is kept."""
        answer = self.call("Runtime.evaluate", expression=expression,
                           awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise RuntimeError(str(details.get("exception", details)))
        return answer["result"].get("value")

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=height, deviceScaleFactor=1, mobile=False)

    def scheme(self, name):
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": name}])

    def screenshot(self):
        """PNG in base64."""
        return self.call("Page.captureScreenshot", format="png",
                         optimizeForSpeed=True)["data"]
