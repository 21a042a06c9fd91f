"""The strip under a picture: what is said at this moment, and over time."""

import numpy as np

from skrehab._shown import shown

__all__ = ["LabelsPanel", "Panel", "fitting_font"]

CALM, ALERT, UNKNOWN = (86, 180, 233), (240, 150, 40), (140, 148, 160)
PANEL, TRACK, TEXT, FAINT = (18, 21, 27), (30, 35, 44), (236, 239, 244), (150, 158, 171)
LONGEST = 200  # characters of a label; a picture shows fewer


class Panel:
    """The strip under the picture: verdict and score at the left, the timeline at the right."""

    def __init__(self, width, long_side, scores, times, threshold, labels):
        from PIL import ImageFont

        self.height = 2 * round(max(44, 0.105 * long_side) / 2)
        self.width, self.scores, self.threshold = width, scores, threshold
        self.unit = unit = self.height / 10
        room = 0.31 * width - 3.8 * unit
        words = [shown(str(word)[:LONGEST]) for word in [*labels, "no pose"]]
        self.big = fitting_font(ImageFont, words, 2.5 * unit, room)
        self.small = fitting_font(ImageFont, ["no score   99.9 s"], 1.55 * unit, room)
        self.labels = [shortened(word, self.big, room) for word in words]
        self.left = 0.32 * width
        self.right = max(width - 2.2 * unit, self.left + 2)
        self.top, self.bottom = 1.6 * unit, 6.9 * unit
        self.start, self.end = times[0], max(times[-1], times[0] + 1e-6)
        self.past = self._timeline(times, 1.0)
        self.future = self._timeline(times, 0.38)

    def colour(self, k):
        """Colour of the verdict on trial frame k."""
        if np.isnan(self.scores[k]):
            return UNKNOWN
        return ALERT if self.scores[k] >= self.threshold else CALM

    def x(self, time):
        """Horizontal place of a time."""
        share = (np.clip(time, self.start, self.end) - self.start) / (self.end - self.start)
        return self.left + share * (self.right - self.left)

    def y(self, score):
        """Vertical place of a score."""
        return self.bottom - np.clip(score, 0, 1) * (self.bottom - self.top)

    def _timeline(self, times, strength):
        """Draw the panel's unchanging part; strength dims what is still to come."""
        from PIL import Image, ImageDraw

        columns = np.arange(int(2 * self.left), int(2 * self.right))
        rows = np.arange(2 * self.height)[:, None]
        at = self.start + (columns / 2 - self.left) / (self.right - self.left) * (
            self.end - self.start
        )
        score = self._score_at(times, at)
        canvas = np.empty((2 * self.height, 2 * self.width, 3))
        canvas[:] = PANEL
        inside = (rows >= 2 * self.top) & (rows < 2 * self.bottom)
        strip = np.where(inside[..., None], TRACK, PANEL).astype(float)
        strip = np.broadcast_to(strip, (2 * self.height, len(columns), 3)).copy()
        hue = np.where((score >= self.threshold)[:, None], ALERT, CALM)
        top = 2 * self.y(np.nan_to_num(score)) - 2
        edge = 2.0 + 0.5 * np.abs(np.gradient(top))  # as thick on slopes as on level stretches
        for depth, opacity in ((np.inf, 0.72), (edge, 1.0)):  # the area, then its upper edge
            part = inside & np.isfinite(score) & (rows >= top - 1) & (rows - top <= depth)
            mixed = strength * opacity * hue + (1 - strength * opacity) * np.array(TRACK)
            strip[part] = np.broadcast_to(mixed, strip.shape)[part]
        gap = inside & np.isnan(score) & ((rows + columns) % 14 < 3)  # hatched: no score here
        strip[gap] = UNKNOWN
        canvas[:, columns] = strip
        image = Image.fromarray(canvas.astype(np.uint8))
        pen = ImageDraw.Draw(image)
        line = 2 * self.y(self.threshold)
        for x in np.arange(2 * self.left, 2 * self.right, 2 * self.unit):
            pen.line([x, line, min(x + self.unit, 2 * self.right), line], fill=TEXT, width=2)
        image = image.resize((self.width, self.height), Image.Resampling.BOX)
        pen = ImageDraw.Draw(image)
        y = 7.4 * self.unit
        pen.text((self.left, y), f"{self.start:.0f} s", fill=FAINT, font=self.small)
        pen.text((self.right, y), f"{self.end:.1f} s", fill=FAINT, font=self.small, anchor="ra")
        return image

    def _score_at(self, times, at):
        """Join the scores by lines; NaN where the nearest frame has none."""
        known = np.isfinite(self.scores)
        if not known.any():
            return np.full(len(at), np.nan)
        nearest = np.searchsorted((times[1:] + times[:-1]) / 2, at)
        score = np.interp(at, times[known], self.scores[known])
        return np.where(known[nearest], score, np.nan)

    def draw(self, time, k):
        """Return the panel at one time, as an array of shape (height, width, 3)."""
        from PIL import ImageDraw

        unit, colour, score = self.unit, self.colour(k), self.scores[k]
        x = self.x(time)
        image = self.past.copy()
        cut = round(x)
        image.paste(self.future.crop((cut, 0, self.width, self.height)), (cut, 0))
        pen = ImageDraw.Draw(image)
        pen.line([x, self.top - 0.5 * unit, x, self.bottom + 0.3 * unit], fill=TEXT, width=2)
        dot = 0.55 * unit
        pen.ellipse([1.6 * unit, 2.55 * unit, 3.0 * unit, 3.95 * unit], fill=colour)
        if np.isnan(score):
            word, number = self.labels[2], "no score"
        else:
            word, number = self.labels[int(score >= self.threshold)], f"score {score:.2f}"
            y = self.y(score)
            pen.ellipse([x - dot, y - dot, x + dot, y + dot], fill=colour, outline=TEXT, width=2)
        pen.text((3.8 * unit, 3.25 * unit), word, fill=TEXT, font=self.big, anchor="lm")
        below = shortened(f"{number}   {time:.1f} s", self.small, self.left - 4 * unit)
        pen.text((3.8 * unit, 6.1 * unit), below, fill=FAINT, font=self.small, anchor="lm")
        return np.asarray(image)


def fitting_font(fonts, words, size, width):
    """Return the largest font, up to a size and not below 8 pixels, in which every word fits."""
    while size > 8 and max(fonts.load_default(size).getlength(word) for word in words) > width:
        size *= 0.94
    return fonts.load_default(size)


def shortened(word, font, width):
    """Cut a word that does not fit even so."""
    if font.getlength(word) <= width:
        return word
    while word and font.getlength(word + "…") > width:
        word = word[:-1]
    return word + "…" if word else ""


class LabelsPanel:
    """The same of several labels: a row each, name and score at the left, its times at the right.

    A row is as bright as its label is likely, and orange from the threshold on.
    """

    def __init__(self, width, long_side, scores, times, threshold, labels):
        from PIL import ImageFont

        self.row = max(22, round(0.034 * long_side))
        self.height = 2 * round((len(labels) * self.row + 1.2 * self.row) / 2)
        self.width, self.scores, self.times, self.threshold = width, scores, times, threshold
        self.left, self.right = round(0.36 * width), width - self.row // 2
        room = self.left - 2.9 * self.row
        words = [shown(str(word)[:LONGEST]) for word in labels]
        self.font = fitting_font(ImageFont, words, 0.6 * self.row, room)
        self.words = [shortened(word, self.font, room) for word in words]
        self.start, self.end = times[0], max(times[-1], times[0] + 1e-6)
        at = np.linspace(self.start, self.end, max(self.right - self.left, 2))
        nearest = np.searchsorted((times[1:] + times[:-1]) / 2, at)
        self.strips = [self._strip(scores[nearest, k]) for k in range(len(labels))]

    def _strip(self, score):
        """Colours of a row, (1, n_columns, 3)."""
        hue = np.where((score >= self.threshold)[:, None], ALERT, CALM)
        share = np.clip(score, 0, 1)[:, None]
        # what is below the threshold is there, but does not catch the eye
        strength = np.where((score >= self.threshold)[:, None], 0.35 + 0.65 * share, 0.7 * share)
        mixed = strength * hue + (1 - strength) * np.array(TRACK)
        return np.where(np.isnan(score)[:, None], UNKNOWN, mixed)[None]

    def colour(self, k):
        """Colour of the verdict on trial frame k, by any label."""
        if np.isnan(self.scores[k]).any():
            return UNKNOWN
        return ALERT if (self.scores[k] >= self.threshold).any() else CALM

    def top(self, row):
        """First line of a label's row."""
        return round((row + 0.3) * self.row)

    def draw(self, time, k):
        """Return the panel at one time, as an array of shape (height, width, 3)."""
        from PIL import Image, ImageDraw

        canvas = np.empty((self.height, self.width, 3), dtype=np.uint8)
        canvas[:] = PANEL
        thick = self.row - max(3, self.row // 6)
        for row, strip in enumerate(self.strips):
            top = self.top(row)
            canvas[top : top + thick, self.left : self.left + strip.shape[1]] = strip
        image = Image.fromarray(canvas)
        pen = ImageDraw.Draw(image)
        for row, word in enumerate(self.words):
            score, middle = self.scores[k, row], self.top(row) + thick / 2
            on = score >= self.threshold
            number, ink = ("no pose", FAINT) if np.isnan(score) else (f"{score:.2f}", TEXT)
            r = 0.2 * self.row
            box = [0.7 * self.row - r, middle - r, 0.7 * self.row + r, middle + r]
            pen.ellipse(box, fill=UNKNOWN if np.isnan(score) else ALERT if on else CALM)
            pen.text((1.2 * self.row, middle), word, fill=ink, font=self.font, anchor="lm")
            place = (self.left - 0.4 * self.row, middle)
            pen.text(place, number, fill=ink, font=self.font, anchor="rm")
        share = (np.clip(time, self.start, self.end) - self.start) / (self.end - self.start)
        x, bottom = self.left + share * (self.right - self.left), self.top(len(self.words))
        pen.line([x, 0, x, bottom], fill=TEXT, width=2)
        for place, second, anchor in ((self.left, self.start, "la"), (self.right, self.end, "ra")):
            text = f"{second:.1f} s"
            pen.text((place, bottom), text, fill=FAINT, font=self.font, anchor=anchor)
        return np.asarray(image)
