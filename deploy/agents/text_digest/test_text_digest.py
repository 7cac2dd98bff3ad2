"""Tests of text-digest: exact values of its parts, and what it makes of its example."""

from typing import Any

import pytest
from agentnexus_agent import AgentError

from ..samples import source
from . import findings, ranking, readability
from .agent import digest
from .languages import guess
from .phrases import key_phrases
from .sentences import split
from .words import stem, words


def texts(text: str) -> list[str]:
    return [sentence.text for sentence in split(text)]


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    return digest(source("text_digest").manifest["example_input"]["text"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Dr. Meyer met Prof. J. S. Bach. He nodded.", ["Dr. Meyer met Prof. J. S. Bach.", "He nodded."]),
        ("It cost 3.50 dollars. Really.", ["It cost 3.50 dollars.", "Really."]),
        ("See e.g. Section 2. Then go on.", ["See e.g. Section 2.", "Then go on."]),
        ('He said "Go." She went.', ['He said "Go."', "She went."]),
        ("Wait... what? Yes.", ["Wait... what?", "Yes."]),
        ("A line\nthat goes on. Next.", ["A line that goes on.", "Next."]),
        ("- first item\n- second item", ["first item", "second item"]),
        ("1. Buy milk\n2. Sell milk", ["Buy milk", "Sell milk"]),
        ("Anna: Shall we?\nBen: We shall.", ["Anna: Shall we?", "Ben: We shall."]),
        ("これは文です。次の文です。", ["これは文です。", "次の文です。"]),
        ("...", []),
        ("", []),
    ],
)
def test_sentences_are_cut_where_they_end(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


def test_headings_stand_alone_and_are_marked() -> None:
    found = split("# Title\n\nFirst sentence.\n\nA short heading\n\nAnother sentence.")

    assert [(one.text, one.is_heading) for one in found] == [
        ("Title", True),
        ("First sentence.", False),
        ("A short heading", True),
        ("Another sentence.", False),
    ]


def test_a_text_without_full_stops_is_cut_after_120_words() -> None:
    found = texts("word " * 250)

    assert [len(one.split()) for one in found] == [120, 120, 10]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The contract was signed by both of the parties and it is now in force.", "en"),
        ("Der Vertrag wurde von beiden Seiten unterschrieben und ist nun in Kraft.", "de"),
        ("Le contrat a été signé par les deux parties et il est maintenant en vigueur.", "fr"),
        ("El contrato fue firmado por las dos partes y ahora está en vigor para todos.", "es"),
        ("Il contratto è stato firmato dalle due parti e ora è in vigore per tutti.", "it"),
        ("O contrato foi assinado pelas duas partes e agora está em vigor para todos.", "pt"),
        ("Het contract is door beide partijen getekend en is nu van kracht voor iedereen.", "nl"),
        ("Avtalet har skrivits under av båda parter och det är nu i kraft för alla.", "sv"),
        ("Договор был подписан обеими сторонами и теперь вступил в силу.", "ru"),
        ("Договір був підписаний обома сторонами і тепер набув чинності. Її мета ясна.", "uk"),
        ("契約は両当事者によって署名されました。", "ja"),
        ("合同已由双方签署，现已生效。", "zh"),
        ("계약은 양 당사자가 서명했습니다.", "ko"),
        ("تم توقيع العقد من قبل الطرفين", "ar"),
        ("החוזה נחתם על ידי שני הצדדים", "he"),
        ("Η σύμβαση υπογράφηκε από τα δύο μέρη", "el"),
        ("zzz qqq xxx", "und"),
        ("12345 67890", "und"),
    ],
)
def test_languages_are_recognised(text: str, code: str) -> None:
    assert guess(text).code == code


@pytest.mark.parametrize(
    ("word", "count"),
    [("cat", 1), ("table", 2), ("reading", 2), ("beautiful", 3), ("created", 3), ("walked", 1), ("horses", 2),
     ("the", 1), ("readability", 5), ("organization", 5), ("queue", 1), ("area", 3)],
)  # fmt: skip
def test_syllables(word: str, count: int) -> None:
    assert readability.syllables(word) == count


def test_flesch_of_a_known_sentence() -> None:
    # 6 words in 1 sentence, 6 syllables: 206.835 - 1.015 * 6 - 84.6 * 1 = 116.1, which is shown as 100
    found = readability.measure(split("The cat sat on the mat."), "en")

    assert (found.ease, found.level, found.average_sentence_words) == (100.0, "easy", 6.0)
    assert [(one.measure, one.value) for one in found.measures] == [
        ("Flesch reading ease", 100.0),
        ("Flesch-Kincaid grade", 0.0),
        ("Gunning fog", 2.4),
        ("SMOG", 3.1),
        ("Coleman-Liau", 0.0),
        ("Automated readability index", 0.0),
        ("LIX", 6.0),
    ]


def test_a_language_without_a_formula_gets_lix_only() -> None:
    found = readability.measure(split("Kontraktet er underskrevet af begge parter."), "da")

    assert (found.ease, found.grade, found.passive_share) == (None, None, None)
    assert [one.measure for one in found.measures] == ["LIX"]


def test_passive_sentences_are_counted() -> None:
    found = readability.measure(split("The pool was drained. We drained the pool."), "en")

    assert found.passive_share == 0.5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It cost €186,000 and $2.5 million.", [("€186,000", "money"), ("$2.5 million", "money")]),
        ("We pay 0.01 ETH or 25 USDC.", [("0.01 ETH", "money"), ("25 USDC", "money")]),
        ("Up 12.5 % since 3 March 2024.", [("12.5 %", "percent"), ("3 March 2024", "date")]),
        ("At 09:12 UTC on 2024-03-01.", [("09:12 UTC", "time"), ("2024-03-01", "date")]),
        ("It took 47 minutes and 3 of us.", [("47 minutes", "quantity")]),
        ("Version 2.1.3 is out.", []),
    ],
)
def test_figures(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(one.figure, one.kind) for one in findings.figures(split(text))] == expected


def test_each_figure_is_listed_once() -> None:
    assert len(findings.figures(split("It was 5 percent. Again 5 percent."))) == 1


@pytest.mark.parametrize(
    ("text", "owner", "due"),
    [
        ("Priya Raman will route the alerts by 21 March.", "Priya Raman", "21 March"),
        ("The gradual rollout must be switched on again.", "", ""),
        ("Ben needs to call the bank before the end of the month.", "Ben", "the end of the month"),
        ("Please send the invoice by Friday.", "", "Friday"),
        ("TODO write the minutes", "", ""),
    ],
)
def test_actions_have_owner_and_date(text: str, owner: str, due: str) -> None:
    assert [(one.owner, one.due) for one in findings.actions(split(text))] == [(owner, due)]


@pytest.mark.parametrize(
    "text", ["Must we go?", "It will rain.", "The report was written by Ben.", "They should have known."]
)
def test_what_obliges_nobody_is_no_action(text: str) -> None:
    assert findings.actions(split(text)) == []


def test_names_are_counted_with_their_short_forms() -> None:
    text = "We met Anna Meyer in Berlin. Later Meyer paid. The bill went to Acme Ltd and to Dr. House."

    found = findings.names(split(text), "en")

    assert [(one.name, one.count, one.kind) for one in found] == [
        ("Anna Meyer", 2, "name"),
        ("Berlin", 1, "name"),
        ("Acme Ltd", 1, "organisation"),
        ("House", 1, "person"),
    ]


def test_german_nouns_are_not_taken_for_names() -> None:
    assert findings.names(split("Der Vertrag wurde in Berlin von der Firma unterschrieben."), "de") == []


def test_key_phrases_prefer_what_recurs_and_leave_out_its_parts() -> None:
    text = "The connection pool ran dry. A connection pool has a size. The size of the connection pool matters."

    found = key_phrases(split(text), "en", 3)

    assert (found[0].phrase, found[0].count, found[0].score) == ("connection pool", 3, 1.0)
    assert "connection" not in [one.phrase for one in found]


@pytest.mark.parametrize(
    ("word", "language", "expected"),
    [("contracts", "en", "contract"), ("contracting", "en", "contract"), ("class", "en", "class"), ("bus", "en", "bus"),
     ("Verträgen", "de", "verträg"), ("x", "en", "x")],
)  # fmt: skip
def test_stems(word: str, language: str, expected: str) -> None:
    assert stem(word, language) == expected


def test_words_keep_apostrophes_and_split_unspaced_scripts() -> None:
    assert words("don't re-enter 42 合同") == ["don't", "re-enter", "合", "同"]


def test_rank_gives_more_to_what_is_linked_more() -> None:
    graph: list[dict[int, float]] = [{1: 1.0, 2: 1.0}, {0: 1.0}, {0: 1.0}, {}]

    found = ranking.rank(graph, [1.0, 1.0, 1.0, 1.0])

    assert sum(found) == pytest.approx(1.0)
    assert found[0] > found[1] == pytest.approx(found[2])
    assert found[3] < found[1]


def test_rank_leaves_out_what_is_not_kept() -> None:
    found = ranking.rank([{1: 1.0}, {0: 1.0}], [1.0, 1.0], [True, False])

    assert found == [pytest.approx(1.0), 0.0]


def test_links_join_what_shares_terms() -> None:
    vectors = ranking.vectors([["pool", "size"], ["pool", "size"], ["rain"]])

    assert ranking.links(vectors) == [{1: pytest.approx(1.0)}, {0: pytest.approx(1.0)}, {}]


def test_summary_of_the_example_tells_cause_and_cost(example: dict[str, Any]) -> None:
    chosen = [one["sentence"] for one in example["key_sentences"]]

    assert len(chosen) == 5
    assert chosen[0].startswith("On 3 March our checkout service was unavailable for 47 minutes")
    assert chosen[1].startswith("The root cause was a connection pool that ran out")
    assert chosen[-1].startswith("In short, a small change met a shared file")
    assert example["summary"] == " ".join(chosen)
    assert [one["number"] for one in example["key_sentences"]] == sorted(
        one["number"] for one in example["key_sentences"]
    )
    assert all(one["confidence"] >= 0.5 for one in example["key_sentences"])


def test_example_lists_every_promise_and_question(example: dict[str, Any]) -> None:
    assert [(one["owner"], one["due"]) for one in example["actions"]] == [
        ("Tomás Oliveira", "14 March"),
        ("Priya Raman", "21 March"),
        ("", ""),
        ("Lena Fischer", ""),
        ("", "the end of the quarter"),
    ]
    assert len(example["questions"]) == 3
    assert {"€186,000", "47 minutes", "91 percent"} <= {one["figure"] for one in example["figures"]}
    assert {one["name"] for one in example["names"]} == {"Priya Raman", "Tomás Oliveira", "Lena Fischer"}
    assert example["language"]["code"] == "en"


def test_statistics_of_the_example(example: dict[str, Any]) -> None:
    found = example["statistics"]

    assert (found["words"], found["sentences"], found["reading_minutes"]) == (610, 42, 2.6)


MEETING = """\
Anna: Good morning everyone, thanks for joining.
Ben: Morning. Quick update on the migration: we moved 80% of the customers, the rest follows next week.
Anna: Great. What about the invoices that went out twice?
Ben: That was a retry without an idempotency key. Carla will send corrected invoices by Friday.
Anna: We decided to move the launch to 16 May because the load test failed at 1,200 requests per second.
Carla: Should we tell the press?
Anna: Not yet. I will talk to marketing before Thursday.
"""


def test_a_conversation_has_speakers_promises_and_decisions() -> None:
    found = digest(MEETING, sentences=2)

    assert [one["sentence"].split(" ")[:3] for one in found["key_sentences"]] == [
        ["Ben:", "Carla", "will"],
        ["Anna:", "We", "decided"],
    ]
    assert [(one["owner"], one["due"]) for one in found["actions"]] == [("Carla", "Friday"), ("Anna", "Thursday")]
    assert found["questions"] == [
        "Anna: What about the invoices that went out twice?",
        "Carla: Should we tell the press?",
    ]
    assert {(one["name"], one["count"], one["kind"]) for one in found["names"]} >= {("Anna", 4, "person")}
    assert not {"Great", "Morning"} & {one["name"] for one in found["names"]}


def test_a_label_that_occurs_once_is_no_speaker() -> None:
    assert [one.speaker for one in split("Note: this is a note.\nBen: hello there.\nBen: hello again.")] == [
        "",
        "Ben",
        "Ben",
    ]


def test_german_ordinals_do_not_end_a_sentence_and_phrases_are_nouns() -> None:
    text = (
        "Die Stadtwerke müssen bis zum 30. Juni eine Preisgarantie vorlegen. Danach soll die Stadt bis 2035 "
        "klimaneutral heizen. Die Stadtwerke haben am Dienstag eine verbindliche Zusage angekündigt."
    )

    found = digest(text)

    assert found["statistics"]["sentences"] == 3
    assert [(one["owner"], one["due"]) for one in found["actions"]] == [("", "30. Juni")]
    assert [one["figure"] for one in found["figures"]] == ["30. Juni"]
    phrases = [one["phrase"] for one in found["key_phrases"]]
    assert phrases[0] == "Stadtwerke"
    assert "verbindliche Zusage" in phrases
    assert not any(phrase.endswith("angekündigt") for phrase in phrases)


def test_long_sentences_are_cut_at_their_semicolons() -> None:
    text = "; ".join(f"part number {n} of a sentence that does not want to end" for n in range(8)) + "."

    assert len(texts(text)) == 8


def test_focus_moves_the_summary(example: dict[str, Any]) -> None:
    text = source("text_digest").manifest["example_input"]["text"]

    focused = digest(text, sentences=3, focus="voucher for affected customers")

    assert any("voucher" in one["sentence"] for one in focused["key_sentences"])
    assert not any("voucher" in one["sentence"] for one in example["key_sentences"])


def test_a_summary_does_not_repeat_itself() -> None:
    text = (
        "The pool ran out of connections in the morning. " * 5
        + "The rollback to the old configuration took six minutes."
    )

    found = digest(text, sentences=3)

    assert len(found["key_sentences"]) == 2


def test_no_more_sentences_than_there_are() -> None:
    found = digest("Only one sentence here.", sentences=30)

    assert [one["sentence"] for one in found["key_sentences"]] == ["Only one sentence here."]


def test_a_text_of_headings_is_summarised_from_them() -> None:
    found = digest("# First heading\n\n# Second heading", sentences=1)

    assert len(found["key_sentences"]) == 1


def test_a_long_text_is_ranked_by_section_first() -> None:
    things = ["pool", "server", "rollback", "customer", "invoice", "voucher", "alert", "engineer", "region", "cable"]
    acts = ["broke", "recovered", "moved", "grew", "shrank", "waited", "failed"]
    text = " ".join(
        f"The {things[n % 10]} {acts[n % 7]} while the {things[n // 10 % 10]} was watched." for n in range(1000)
    )

    found = digest(text, sentences=4)

    assert len(found["key_sentences"]) == 4
    assert found["statistics"]["sentences"] == 1000


def test_a_given_language_is_taken() -> None:
    found = digest("Der Vertrag wurde unterschrieben.", language="nl")

    assert found["language"] == {"code": "nl", "name": "Dutch", "confidence": 1.0}


def test_report_escapes_what_would_be_markup() -> None:
    found = digest("The *value* of `x` is <b>high</b> | [so](javascript:alert(1)) they say today.")

    assert "<b>" not in found["report"].replace("\\<b\\>", "")
    assert "\\[so\\](javascript" in found["report"]


@pytest.mark.parametrize("text", ["", "   ", "123 456", "!!!", "\x00"])
def test_no_words_no_digest(text: str) -> None:
    with pytest.raises(AgentError, match="holds no words"):
        digest(text)
