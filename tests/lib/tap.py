# SPDX-License-Identifier: Apache-2.0
"""TAP for tests in Python: a sentence holds when nobody complains of it."""


class Tap:
    def __init__(self, most=None):
        """Of each sentence at most so many complaints are shown."""
        self.n = self.failed = 0
        self.most = most

    def law(self, sentence, complaints):
        """One result; complaints are told one a line."""
        self.n += 1
        complaints = list(complaints)
        for c in complaints[:self.most]:
            print("#", c)
        self.failed += bool(complaints)
        word = "not ok" if complaints else "ok"
        print(f"{word} {self.n} - {sentence}", flush=True)

    def skip(self, sentence, why):
        self.n += 1
        print(f"ok {self.n} - {sentence} # SKIP {why}", flush=True)

    def end(self):
        """The exit status."""
        print(f"1..{self.n}")
        return 1 if self.failed else 0
