"""What the yield report says in sentences: the decision of the gate, and the summary in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cropcredit.agronomy.validation import FORWARD, GATE_YEARS, MODEL, REGIONS, YEARS

SCHEMES_EN = {
    YEARS: "Each year left out",
    FORWARD: "Learned from earlier years alone",
    REGIONS: "Neighbouring regions left out",
}
SCHEMES_ZH = {YEARS: "逐年留出", FORWARD: "只用以往年份", REGIONS: "成片地区留出"}
BASELINES_ZH = {"average": "平均值", "trend": "趋势"}

Trial = Mapping[str, Any]


def decision(trial: Trial) -> str:
    """Say in one sentence what the gate decided, or would decide if this scheme were the one it reads."""
    gate, baseline = trial["gate"], trial["baseline"]
    if trial["shown"] != MODEL:
        why = "No model could be fitted" if trial["candidates"] else "No index shows enough seasons, no model"
        return f"{why}: the {baseline} is used."
    passed, released = gate["use"] == MODEL, trial["scheme"] == YEARS
    verb = "is" if released else "would be"
    evidence = f"it errs {_less(gate['skill'])} than the {baseline} (90 % range {_span(gate)})"
    if passed:
        return f"The model {verb} used: on yields it had not seen {evidence}."
    if len(trial["years"]) < GATE_YEARS:
        return (
            f"Too few years to tell: the {baseline} {verb} used. The model was judged in {len(trial['years'])} alone."
        )
    return f"No skill, no model: the {baseline} {verb} used. The model did not win for certain: {evidence}."


def percent(share: float, digits: int = 1) -> str:
    """Write a share as the report does everywhere.

    Examples
    --------
    >>> percent(0.9), percent(0.9, 0)
    ('90.0 %', '90 %')
    """
    return f"{100 * share:.{digits}f} %"


def at_fullest(facts: Mapping[str, Any], scheme: str = YEARS) -> Trial | None:
    """Give the trial of a scheme that saw most of the season; None where the scheme was not run."""
    found = [trial for trial in facts["trials"] if trial["scheme"] == scheme]
    return max(found, key=lambda trial: trial["parts"]) if found else None


def summary(facts: Mapping[str, Any]) -> dict[str, str]:
    """Sum the report up, in English and in Chinese."""
    trial = at_fullest(facts)
    assert trial is not None, "a report without left-out years is never made"
    return {"en": _english(facts, trial), "zh": _chinese(facts, trial)}


def _english(facts: Mapping[str, Any], trial: Trial) -> str:
    data, best = facts["data"], trial["scores"][trial["baseline"]]
    used = trial["scores"][trial["gate"]["use"]]
    model = f"model {trial['scores'][MODEL]['nrmse']:.1f} %, " if trial["shown"] == MODEL else ""
    return (
        f"{data['labels']} yields of {data['regions']} regions, {data['first']}-{data['last']}"
        f"{_aside_en(len(data['left_out']))}. {trial['decision']} Error (nRMSE) at the end of the season: "
        f"{model}{trial['baseline']} {best['nrmse']:.1f} %. The 90 % interval of the {trial['gate']['use']} covered "
        f"{percent(used['coverage'])} of the yields it had not seen; the worst year was {trial['worst']['year']}."
    )


def _chinese(facts: Mapping[str, Any], trial: Trial) -> str:
    data, gate, best = facts["data"], trial["gate"], trial["scores"][trial["baseline"]]
    baseline = BASELINES_ZH[trial["baseline"]]
    used = trial["scores"][gate["use"]]
    aside = f"（另有 {len(data['left_out'])} 条可疑数据按规则剔除）" if data["left_out"] else ""
    head = f"{data['first']}—{data['last']} 年 {data['regions']} 个地区的 {data['labels']} 条单产数据{aside}。"
    tail = f"90 % 区间实际覆盖 {percent(used['coverage'])}；误差最大的年份是 {trial['worst']['year']} 年。"
    if trial["shown"] != MODEL:
        return f"{head}没有可用的模型，采用{baseline}（误差 nRMSE {best['nrmse']:.1f} %）。{tail}"
    errors = f"模型误差（nRMSE）{trial['scores'][MODEL]['nrmse']:.1f} %，{baseline} {best['nrmse']:.1f} %"
    skill = f"技巧 {gate['skill']:+.0%}，90 % 范围 {gate['skill_low']:+.0%} 至 {gate['skill_high']:+.0%}"
    verdict = "启用模型" if gate["use"] == MODEL else f"没有把握胜过{baseline}，不用模型，采用{baseline}"
    return f"{head}逐年留出检验：{errors}（{skill}），{verdict}。{tail}"


def _aside_en(count: int) -> str:
    return f" ({count} more {'is' if count == 1 else 'are'} suspect and left out)" if count else ""


def _less(skill: float) -> str:
    return f"{percent(abs(skill))} {_way(skill)}"


def _way(skill: float) -> str:
    return "less" if skill >= 0 else "more"


def _span(gate: Mapping[str, Any]) -> str:
    low, high = gate["skill_low"], gate["skill_high"]
    if _way(low) != _way(high):
        return f"{_less(low)} to {_less(high)}"
    near, far = sorted([abs(low), abs(high)])
    return f"{percent(near)} to {percent(far)} {_way(low)}"
