"""The questions that lead to a method, followed to every end."""

from collections.abc import Iterator
from typing import Any

import pytest

from authconfigs.methods import METHODS, by_code
from authconfigs.methods.questions import FIRST, Answer, Question, Recommendation, walk


def ends(question: Question = FIRST, path: str = "") -> Iterator[tuple[str, Recommendation]]:
    """The path of each answer that leads to a recommendation, with it."""
    for answer in question.open_answers:
        here = f"{path}.{answer.slug}" if path else answer.slug
        if isinstance(answer.leads_to, Question):
            yield from ends(answer.leads_to, here)
        else:
            yield here, answer.leads_to


def answers(question: Question = FIRST) -> Iterator[Answer]:
    for answer in question.answers:
        yield answer
        if isinstance(answer.leads_to, Question):
            yield from answers(answer.leads_to)


@pytest.mark.parametrize("password_grant", [True, False])
def test_answers_lead_to_every_method_that_is_available_and_to_no_other(
    settings: Any, password_grant: bool
) -> None:
    settings.OAUTH_PASSWORD_GRANT = password_grant
    available = {method.code for method in METHODS if method.available()}
    assert {found.method for _, found in ends()} == available


def test_a_walk_ends_where_its_answers_lead() -> None:
    for path, found in ends():
        walked = walk(path)
        assert walked.recommendation is found
        assert walked.question is None
        assert walked.path == path


def test_two_answers_are_enough() -> None:
    assert max(len(walk(path).steps) for path, _ in ends()) == 2


def test_each_step_can_be_taken_back() -> None:
    first, second = walk("key.url").steps
    assert walk(second.before).question is second.question
    assert walk(first.before).question is FIRST


@pytest.mark.parametrize("path", ["", "nonsense", "key.nonsense", "key.header.more", "." * 5000])
def test_what_cant_be_followed_is_asked_again(path: str) -> None:
    known = [slug for slug in path.split(".") if slug in ("key", "header")]
    assert walk(path) == walk(".".join(known))


def test_answer_to_a_method_that_is_switched_off_is_not_followed(settings: Any) -> None:
    settings.OAUTH_PASSWORD_GRANT = False
    walked = walk("user.tokens")
    assert walked.question
    assert walked.path == "user"


def test_wording_of_questions_and_answers() -> None:
    for answer in answers():
        assert answer.text[0].isupper()
        assert answer.example
        assert not answer.text.endswith(".")
        target = answer.leads_to
        if isinstance(target, Question):
            assert target.text.endswith("?")
            slugs = [each.slug for each in target.answers]
            assert len(slugs) == len(set(slugs))
        else:
            assert target.reason.endswith(".")
            assert target.reason.count(" ") > 8
            assert by_code(target.method)
