"""A Bunch of trials that says in a notebook what it holds."""

import html

from sklearn.utils import Bunch


class TrialsBunch(Bunch):
    """A Bunch; in a notebook it shows trials, patients and labels in place of all its arrays."""

    def _repr_html_(self):
        """Return what notebooks show: the overview, and the names of what is in it."""
        from skrehab.datasets.overview import describe_trials

        try:
            rate = self.get("frame_rate")
            lines = describe_trials(self, rates=[float(rate)] if rate else None)
        except Exception:  # a Bunch may be changed to anything; showing it must not fail
            lines = []
        keys = ", ".join(map(str, self))
        return (
            f"<pre>{html.escape(chr(10).join(lines))}</pre>"
            f"<p><small>holds {html.escape(keys)}</small></p>"
        )
