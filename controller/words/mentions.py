"""Mentions: a watched word that a policy, a warning, a denial or a question about the rule only speaks of."""

from __future__ import annotations

import re
from typing import NamedTuple

from controller.words import mention_registers as registers
from controller.words import mention_sentences as sentences
from controller.words import mention_terms as terms

# A text with more watched words than this is no rule, warning or denial; judging each would cost an attacked
# monitor more than finding them did.
MOST_JUDGED = 64
# As far as a sentence of a chat reaches; whatever stands further away governs nothing here.
_WINDOW_CHARS = 80
_FULL_STOP = re.compile(r"[。！？!?\n]")
_CLAUSE_END = re.compile(r"[，,；;：:\s~～—…。！？!?]")
_BORDER = re.compile(r"[，,；;：:\s~～—…]+")
_LIGHT_CHARS = 20
_DENIAL_CHARS = 18
_NEAR_CHARS = 8
# 严禁飞单，…: the first of a list has this many characters at least; 别信，… begins no list.
_LEAST_LISTED = 2
_ACTORS = re.compile(r"[我你您咱]")
_US = re.compile(r"我司|我们?(?:公司|店|平台)")
_BARE_TAIL = re.compile(r"^[^，,。；;！？!?\n]{0,8}")
_NOISE = re.compile(r"[\W_]+")
_PLACEHOLDER = "〇"


class _Around(NamedTuple):
    """The sentence around a span, idioms blanked.

    following is what comes after its clause; fate the rest of the sentence and, after a question, the next;
    said that rest as written.
    """

    before: str
    word: str
    after: str
    following: str
    fate: str
    said: str


def is_mention(text: str, start: int, end: int) -> bool:
    """Tell whether text[start:end] is only spoken of: forbidden, warned of, denied, asked about, or reported.

    False when the rule is named to be broken ("公司不让…，不过你可以…").
    """
    around = _around(text, start, end)
    governed = (
        _governed(around)
        or _sentenced(around)
        or _asked_about(around)
        or _declined(around)
        or _reported(around)
        or _withdrawn(around)
    )
    return governed and not _undermined(around)


def _around(text: str, start: int, end: int) -> _Around:
    before = text[max(0, start - _WINDOW_CHARS) : start].translate(terms.SIMPLE)
    after = text[end : end + _WINDOW_CHARS].translate(terms.SIMPLE)
    stops = [stop.end() for stop in _FULL_STOP.finditer(before)]
    stop = _FULL_STOP.search(after)
    border = _CLAUSE_END.search(after)
    return _Around(
        before=_blanked(before[stops[-1] :] if stops else before),
        word=text[start:end],
        after=_blanked(after[: stop.end()] if stop else after),
        following=after[border.start() :] if border else "",
        said=after[: stop.end()] if stop else after,
        fate=_blanked(after[: stop.end()] if stop and stop[0] not in "？?" else after),
    )


def _blanked(text: str) -> str:
    """Return a text whose idioms can no longer be taken for negations."""
    # The other people, 别人, are no prohibition, but unlike an idiom they may be whom it speaks of.
    clear = terms.A_NOT_A.sub(_PLACEHOLDER, text.replace("别人", "他人"))
    return terms.IDIOM.sub(lambda idiom: _PLACEHOLDER * len(idiom[0]), clear)


def _governed(around: _Around) -> bool:
    """Tell whether a prohibition, a warning or a negation before the word governs it."""
    listed = terms.LISTED.search(around.before)
    if listed and _bare(around, around.before[listed.end() :]):
        return True
    return any(_governs(governor, around) for governor in terms.GOVERNOR.finditer(around.before))


def _governs(governor: re.Match[str], around: _Around) -> bool:
    between = around.before[governor.end() :]
    earlier = around.before[: governor.start()]
    if terms.BELITTLED.search(between):
        return False
    if terms.TURN.search(between) or terms.DOUBLED.search(earlier[-_NEAR_CHARS:]):
        return False
    if governor[0] not in terms.DENIALS and governor[0] not in terms.NEGATIONS:
        return _banned(governor[0], around, earlier, between)
    if _BORDER.search(between) or terms.RHETORICAL.search(earlier):
        return False
    if governor[0] in terms.DENIALS:
        return _denied(around, between) and not _asks_back(governor[0], earlier, around)
    # 不买就…: what follows is no longer denied.
    if "就" in between[1:]:
        return False
    light = terms.LIGHT_LIST if between.rstrip("“\"'‘「").endswith("、") else terms.LIGHT
    near = len(between) <= _LIGHT_CHARS and light.fullmatch(between) is not None
    return near and not terms.CONDITION.search(around.after) and not _asks_back(governor[0], earlier, around)


def _banned(governor: str, around: _Around, earlier: str, between: str) -> bool:
    """Tell whether a ban reaches the word: in its clause, after a colon, or in a list."""
    border = _BORDER.search(between)
    # 处罚下来之前, 检查完了: the ban is but a time.
    if terms.TIMED.match(between):
        return False
    if not border:
        return not terms.SWITCH.search(between) and not terms.THROWN.search(between)
    # 严禁的…, what is forbidden, is somebody's talk and forbids nothing.
    if between.startswith("的"):
        return False
    if earlier.endswith(("为", "为了")):
        return False
    if terms.URGED.match(between):
        return False
    listed = border.start() >= _LEAST_LISTED or border[0].strip() in ("：", ":")
    return listed and terms.LISTING.fullmatch(governor) is not None and _bare(around, between)


def _denied(around: _Around, between: str) -> bool:
    if len(between) > _DENIAL_CHARS or terms.SWITCH.search(between) or terms.ASSURED.search(between):
        return False
    return not terms.AFFIRMED.search(around.after)


def _asks_back(governor: str, earlier: str, around: _Around) -> bool:
    """Tell whether a negation asks for a yes: 你不给…吗, 不是说好…吗."""
    if governor not in terms.ASKED_BACK and not earlier.endswith(("你", "您", "你们")):
        return False
    return terms.ASKING.search(around.after) is not None


def _bare(around: _Around, between: str) -> bool:
    """Tell whether the word stands in a list that goes on over a clause's border: no person acts in it."""
    if terms.TURN.search(between) or _ACTORS.search(_US.sub("", between)) or _ACTORS.search(around.word):
        return False
    tail = _BARE_TAIL.match(around.after)
    return not terms.CHATTY.search(between) and not (tail and terms.CHATTY.search(tail[0]))


def _sentenced(around: _Around) -> bool:
    """Tell whether what follows the word says that it is wrong or what becomes of those who do it."""
    if registers.THROWN.search(around.before):
        return False
    own, *later = _BORDER.split(around.after, maxsplit=3)
    if sentences.NAMED.match(own) or _condemned(own) or _blamed(around):
        return True
    general = (
        sentences.GENERAL.search(_BORDER.split(around.before)[-1])
        or sentences.GENERAL.match(around.before)
        or registers.ON_HEARING.search(around.after)
    )
    if general and (sentences.ASK_HELP.search(around.after) or sentences.WARNED.search(around.after)):
        return True
    if general and any(_sentence(clause, anchored=False) for clause in (own, *later)):
        return True
    if sentences.LEFT_ALONE.search(around.after):
        return True
    return any(_sentence(clause, anchored=True) for clause in later[:2])


def _condemned(own: str) -> bool:
    """Tell whether the rest of the word's own clause condemns it."""
    if _sentence(own, anchored=True) or sentences.DISCLAIMED.search(own) or sentences.REFUSED.match(own):
        return True
    reported = sentences.REPORTED.search(own)
    if not reported or own.startswith("我"):
        return False
    return not sentences.ACQUITTED.search(own[: reported.start()])


def _blamed(around: _Around) -> bool:
    """Tell whether a text was refused because of the word, or the word is to be struck out."""
    whole = around.before + around.after
    if sentences.BLAMED.search(around.before) and sentences.BLAME.search(whole):
        return True
    return sentences.STRUCK.match(around.after) is not None and sentences.REVIEW.search(whole) is not None


def _sentence(clause: str, *, anchored: bool) -> bool:
    sentence = _reached(clause) if anchored else sentences.SENTENCE.search(clause)
    if not sentence or sentences.ACQUITTED.search(
        clause[max(0, sentence.start() - _NEAR_CHARS) : sentence.start()]
    ):
        return False
    return not sentences.SPOKEN_AT.match(clause, sentence.end())


def _reached(clause: str) -> re.Match[str] | None:
    """Return the sentence that a clause comes to, having named no more than its subject before."""
    more = sentences.MORE.match(clause)
    place = more.end() if more else 0
    for _ in range(sentences.MAX_SUBJECTS):
        if sentence := sentences.SENTENCE.match(clause, place):
            return sentence
        subject = sentences.SUBJECT.match(clause, place)
        if not subject:
            return None
        place = subject.end()
    return None


def _asked_about(around: _Around) -> bool:
    """Tell whether others said the word, or the sentence asks what it is or if the rule allows it."""
    if sentences.QUOTED.search(around.before) or sentences.MEANING.search(around.before):
        return True
    if sentences.MEANT.match(around.after):
        return True
    asks = sentences.MAY_ONE.search(around.before) or sentences.COUNTS_AS.search(around.before)
    return asks is not None and terms.ASKING.search(around.after) is not None


def _declined(around: _Around) -> bool:
    """Tell whether the word is a topic that the speaker cannot do, does not do, or asks whether one may."""
    if around.before.endswith(("对", "向", "跟")) and registers.SAID_NO.match(around.after):
        return True
    if registers.ASKS_RULE.match(around.after) or registers.ECHOED.match(around.fate):
        return True
    if registers.DISBELIEVED.search(around.after):
        return True
    if registers.MISTAKEN.search(around.before) or registers.NONE_OF.search(around.before):
        return True
    if registers.CONDITIONAL.search(around.before) or registers.THROWN.search(around.before):
        return False
    topic = registers.TOPIC.search(around.before)
    return registers.UNABLE.match(around.after.lstrip("，,") if topic else around.after) is not None


def _withdrawn(around: _Around) -> bool:
    """Tell whether the word is to be struck out, taken back, or the victim of it is named."""
    if registers.STRIKE.search(around.before):
        return True
    if registers.REMOVED.match(around.after) or registers.HIDDEN.match(around.after):
        return True
    if any(hand in _BORDER.split(around.before)[-1] for hand in "把将") and registers.TAKEN_OUT.match(
        around.after
    ):
        return True
    if any(by in _BORDER.split(around.before)[-1] for by in "被拿") and registers.CHEATED.match(around.after):
        return True
    return (
        around.before.endswith(("“", "‘", "「", '"')) and registers.REWRITTEN.match(around.after) is not None
    )


def _reported(around: _Around) -> bool:
    """Tell whether a court, an exam, a warning of cheats or a tale of others' fate brings the word up."""
    if registers.ERRONEOUS.search(around.before):
        return True
    if registers.ADDRESSED.search(around.before):
        return False
    if registers.DEAL.search(_NOISE.sub("", around.word) + around.said):
        return False
    clause = _BORDER.split(around.before)[-1]
    if registers.OWN.match(clause):
        return False
    if registers.CHEAT.search(clause):
        return True
    if registers.ALL_THAT.search(clause) and registers.NOT_OURS.match(around.after):
        return True
    return not registers.DEAL.search(around.before) and (_institutional(around) or _fated(around, clause))


def _institutional(around: _Around) -> bool:
    """Tell whether courts, newspapers, exams, contracts or lessons speak."""
    if registers.RULED.match(around.after):
        return True
    reporting = registers.REPORTING.search(around.before)
    # The police that speak to you yourself are none.
    if reporting and not registers.TOLD.search(around.before):
        return True
    whole = around.before + around.after
    return (
        registers.RULING.search(around.before) is not None and registers.FORBIDDING.search(whole) is not None
    )


def _fated(around: _Around, clause: str) -> bool:
    """Tell whether what becomes of those who did it is told, or what to answer those who ask for it."""
    if registers.AGAIN.search(clause) and registers.THREAT.search(around.after):
        return True
    if registers.STAFF.search(clause) and registers.COMPLAINT.search(around.before + around.fate):
        return True
    if registers.ASKED_BY_OTHERS.search(clause) and registers.HOW_TO_ANSWER.search(around.after):
        return True
    return registers.PENALTY.search(around.fate) is not None and not registers.REASON.search(around.fate)


def _undermined(around: _Around) -> bool:
    """Tell whether the speaker goes on to offer what the rule forbids, or how to hide it."""
    if registers.LIE.search(around.before) or registers.LIE.match(around.after):
        return True
    if terms.UNDERMINED.search(around.following) or terms.TURNED.search(around.following):
        return True
    return terms.CONCESSION.search(around.before) is not None and _ACTORS.search(around.following) is not None
