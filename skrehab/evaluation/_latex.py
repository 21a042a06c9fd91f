"""A study as a table of a paper."""

import numpy as np

_SPECIAL = {c: "\\" + c for c in "&%$#_{}"} | {
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}",
}  # fmt: skip


def latex_table(rows, pairs, metric):
    """Lay rows of a summary out, marked by the pairs."""
    letters = {row["method"]: _letter(i) for i, row in enumerate(rows)}
    better = {name: [] for name in letters}
    for pair in pairs:
        up, down = (pair["a"], pair["b"]) if pair["difference"] > 0 else (pair["b"], pair["a"])
        if pair["p_t"] < 0.05:
            sure = pair["p_wilcoxon_holm"] < 0.05
            better[up].append((letters[down], sure))
    lines = [
        r"\begin{tabular}{llrrr}",
        r"\hline",
        f" & method & {escaped(metric)} & 95\\,\\% interval & pooled \\\\",
        r"\hline",
    ]
    for row in rows:
        marks = ",".join(
            rf"\mathbf{{{letter}}}" if sure else rf"\mathrm{{{letter}}}"
            for letter, sure in sorted(better[row["method"]])
        )
        marks = f"^{{{marks}}}" if marks else ""
        lines.append(
            f"{letters[row['method']]} & {escaped(row['method'])} & "
            f"${_number(row['mean'])} \\pm {_number(row['sd'])}{marks}$ & "
            f"{_number(row['low'])}--{_number(row['high'])} & {_number(row['pooled'])} \\\\"
        )
    n = max((row["n_patients"] for row in rows), default=0)
    lines += [
        r"\hline",
        r"\end{tabular}",
        f"% Mean and standard deviation over {n} patients, each scored by models trained on the "
        "others.",
        "% Superscripts: significantly higher than the methods of these letters, paired t-test, "
        "p < 0.05, unadjusted;",
        "% bold where Wilcoxon's signed-rank test with Holm's adjustment says so too.",
    ]
    return "\n".join(lines) + "\n"


def escaped(text):
    """Text in which nothing acts in LaTeX."""
    return "".join(_SPECIAL.get(c, c) for c in " ".join(str(text).split()))


def _letter(i):
    return chr(ord("a") + i) if i < 26 else _letter(i // 26 - 1) + _letter(i % 26)


def _number(value):
    return "--" if value is None or np.isnan(value) else f"{value:.2f}"
