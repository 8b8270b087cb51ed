import grpc

from controller import errors
from controller.answers import ANSWERS, EXIT_CODES, UNEXPECTED, answer, code


def kinds(kind: type[errors.FarmError] = errors.FarmError) -> set[type[errors.FarmError]]:
    below = {one for one in kind.__subclasses__() if one.__module__.startswith("controller.")}
    return below.union(*(kinds(one) for one in below))


def test_every_error_has_an_answer():
    assert set(ANSWERS) == kinds()


def test_every_grpc_status_exists():
    for found in (*ANSWERS.values(), UNEXPECTED):
        assert found.grpc in grpc.StatusCode.__members__


def test_http_statuses_and_exit_codes_are_the_documented_ones():
    assert {found.exit_code for found in ANSWERS.values()} <= {1, 2, 3, 4, 5}
    assert all(400 <= found.http < 600 for found in ANSWERS.values())


def test_a_child_answers_as_its_parent_and_a_stranger_as_a_failure():
    class Narrower(errors.SafetyRefusal):
        """A safety rule in particular."""

    assert answer(Narrower()) == ANSWERS[errors.SafetyRefusal]
    assert answer(ValueError()) == UNEXPECTED


def test_names_are_stable_for_programs():
    assert code(errors.UnknownPhone) == "unknown_phone"
    assert EXIT_CODES["safety_refusal"] == 5
