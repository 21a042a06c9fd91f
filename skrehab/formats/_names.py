"""When two names are one: patients, labels, trials and recordings as people type them."""

import re
import unicodedata

# Characters without any width: marks of reading direction, soft hyphens, byte order marks.
# U+200C and U+200D change how letters join: they stay in what is shown, and go in comparisons.
_UNSEEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_JOINERS = re.compile("[\u200c\u200d\ufe00-\ufe0f]")
_BLANKS = re.compile(r"[\s\u2800\u3164]+")
_LEADING = re.compile(r"(?<!\d)(?<!\d[.,])0+(?=\d)")
_WHOLE = re.compile(r"(\d+)[.,]0+")
# what a spreadsheet writes where a formula failed, in the languages of its users
_SHEET_ERROR = re.compile(r"#(?:N/?[AD]|NV|N/B|I/T|H/N|\S+[!?])")


class SeveralRecordings(ValueError):
    """A file holds several recordings, and none was asked for."""


class UnknownRecording(ValueError):
    """A file holds no recording of the name that was asked for."""


# Cyrillic and Greek letters whose capitals look like Latin ones, in small letters
_LOOK_ALIKES = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0456\u0455\u0458"
    "\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7",
    "abekmhopctyxisjabezhikmnoptyx",
)
# between letters, or a letter and a digit; 1-1 and 11 are two patients
_DASH = r"[-_.\u2010-\u2015\u2212]+"
_LETTER = r"[^\W\d_]"
_DIVIDERS = re.compile(rf"(?<=\w){_DASH}(?={_LETTER})|(?<={_LETTER}){_DASH}(?=\w)")
_UNKNOWN = {
    *("unknown", "not known", "tbd", "todo", "unlabelled", "unlabeled", "not labelled"),
    *("unbekannt", "inconnu", "inconnue", "desconocido", "desconocida", "sconosciuto"),
}
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d{1,3}")
_ANSWERS = (
    {"yes", "y", "ja", "j", "oui", "si", "s\u00ed", "s\u00ec", "sim", "true", "wahr", "vrai"},
    {"no", "n", "nein", "non", "n\u00e3o", "nao", "false", "falsch", "faux"},
)
_MISSING = {"nan", "<na>", "nat", "n/a", "n.a.", "null", "na"}


def clean(text):
    """The same name in one spelling: composed letters, single blanks, no unseen characters."""
    if text.isascii():
        return " ".join(text.split())
    return _BLANKS.sub(" ", unicodedata.normalize("NFC", _UNSEEN.sub("", text))).strip()


def composed(text):
    """Text with composed letters and without unseen characters; its blanks stay."""
    return text if text.isascii() else unicodedata.normalize("NFC", _UNSEEN.sub("", text)).strip()


def bare(text):
    """Text without blanks and unseen marks around it."""
    text = text.strip()
    if text.isascii():
        return text
    while text and (_UNSEEN.match(text[0]) or _UNSEEN.match(text[-1]) or text != text.strip()):
        start, stop = bool(_UNSEEN.match(text[0])), bool(_UNSEEN.match(text[-1]))
        text = text[start : len(text) - stop].strip()
    return text


def alike_key(text):
    """What two names share that differ in case, blanks, unseen marks or leading zeros only."""
    text = unicodedata.normalize("NFKC", _JOINERS.sub("", _UNSEEN.sub("", text))).casefold()
    text = unicodedata.normalize("NFKC", _BLANKS.sub("", text))
    if match := _WHOLE.fullmatch(text):  # a table with a gap in this column makes 1.0 of 1
        text = match[1]
    return _LEADING.sub("", text)


def same_key(text):
    """What two names of people or labels share that are typed by hand: also P-1, P_1 and P1.

    As :func:`alike_key`, and dashes, underscores and points beside a letter do not count, nor
    whether a letter is Latin, or a Cyrillic or Greek one that looks like it.
    """
    return alike_key(_DIVIDERS.sub("", clean(text))).translate(_LOOK_ALIKES)


def answer_key(text):
    """Which answer a word is, yes (0) or no (1), in whatever language; None for other words."""
    word = clean(text).casefold()
    return next((i for i, words in enumerate(_ANSWERS) if word in words), None)


def is_unknown(text):
    """Whether a cell says that something is not known: a question mark, or a word for it."""
    word = clean(text).casefold()
    return word in _UNKNOWN or (word != "" and not word.strip("?"))


def is_rounded(text):
    """Whether a number is written as spreadsheets round long ones, like 2.02401E+10."""
    return bool(_ROUNDED.fullmatch(text.strip()))


def is_sheet_error(text):
    """Whether a cell holds what a spreadsheet shows for a formula that failed, like #N/A."""
    return bool(_SHEET_ERROR.fullmatch(text.strip().upper()))


def is_missing(text):
    """Whether a cell says in words that it holds nothing."""
    return is_sheet_error(text) or text.strip().casefold() in _MISSING


def file_name(text):
    """The last part of a path or address of any system."""
    return clean(text).replace("\\", "/").rstrip("/").rpartition("/")[2]


def file_stem(text):
    """The last part of a path without its ending."""
    name = file_name(text)
    stem, dot, ending = name.rpartition(".")
    return stem if dot and stem and 0 < len(ending) <= 5 and not ending.isdigit() else name


def matching(asked, known):
    """Those of several groups of names that mean what is asked for, by the best that fits.

    Parameters
    ----------
    asked : str
        A recording's name: the name itself, a path to it, or the file's name without its ending.
    known : iterable of tuple of str
        Names of each recording.

    Returns
    -------
    list of tuple of str
        Those that fit best: exactly; by path; by the name of the file; without its ending.
    """
    known = list(known)
    for form in (clean, _path_key, lambda name: alike_key(file_name(name)), _stem_key):
        wanted = form(asked)
        found = [names for names in known if any(form(name) == wanted for name in names if name)]
        if wanted and found:
            return found
    return []


def _path_key(text):
    return alike_key(text).replace("\\", "/").removeprefix("file:///").removeprefix("./")


def _stem_key(text):
    return alike_key(file_stem(text))
