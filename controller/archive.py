"""The archive of events: exact bytes under (phone, spool, seq), each once, effects in the same commit."""

from __future__ import annotations

from collections.abc import Sequence

from controller import readings
from controller.batches import Batch
from controller.chatplaces import Places
from controller.errors import BadRequest, SpoolGap, StoreUnreachable, UnknownConversation, UnknownPhone
from controller.ingest import Intake
from controller.ledger import Ledger, Work
from controller.model import AccountId, PhoneId
from controller.records import BlindScreen, ChatRemoval, Conversation, Gap, Message, StoredEvent, Warned
from controller.reports import Reports

_MAX_ROWS = 500


class Archive:
    """What phones reported, and what was read out of it."""

    def __init__(self, ledger: Ledger, *, is_indexed: bool = True) -> None:
        """Without `is_indexed` messages are not found by search, and are archived faster."""
        self._ledger = ledger
        self._grams_of = readings.grams_of if is_indexed else readings.no_grams
        self._reports = Reports(ledger.settings)
        self._places = Places()

    # ---- for sessions

    def accept(self, phone_id: PhoneId, spool_id: str, first_seq: int, bodies: Sequence[bytes]) -> int:
        """Archive a batch with its effects and return the highest contiguous seq; a second time is harmless.

        SpoolGap if it begins beyond the next expected seq; UnknownPhone; BadRequest if numbered below 1.
        """
        return self._accept(self.batch(phone_id, spool_id, first_seq, bodies))

    def batch(self, phone_id: PhoneId, spool_id: str, first_seq: int, bodies: Sequence[bytes]) -> Batch:
        """Return a batch for `accept_all` with all that needs no database; for any thread."""
        shelf = self._ledger.shelves.current()
        return Batch.of(phone_id, spool_id, first_seq, bodies, shelf=shelf, grams_of=self._grams_of)

    def accept_all(self, batches: Sequence[Batch]) -> list[int | Exception]:
        """Archive batches in one transaction; returns for each what `accept` returns or raises.

        One that cannot be archived does not stop the others.
        """
        try:
            with self._ledger.work() as work:
                intake = self._intake(work)
                results = self._take_all(work, intake, batches)
        except StoreUnreachable as error:
            return [error] * len(batches)
        except Exception:
            if len(batches) == 1:
                raise
            return [self._alone(batch) for batch in batches]
        intake.keep()
        return results

    def high_water(self, phone_id: PhoneId, spool_id: str) -> int:
        """Return the highest contiguous seq archived of a spool; 0 for one never seen."""
        with self._ledger.look() as tx:
            return tx.high_water(phone_id, spool_id)

    # ---- for readers

    def conversations(
        self, *, phone_id: PhoneId | None = None, account_id: AccountId | None = None, limit: int = 200
    ) -> list[Conversation]:
        """Return chats, the most recently archived first."""
        with self._ledger.look() as tx:
            return tx.conversations(phone_id=phone_id, account_id=account_id, limit=_bounded(limit))

    def conversation(self, conversation_id: int) -> Conversation:
        """Return a chat; UnknownConversation."""
        with self._ledger.look() as tx:
            conversation = tx.conversation(conversation_id)
        if conversation is None:
            raise UnknownConversation
        return conversation

    def messages(
        self, conversation_id: int, *, before_position: int | None = None, limit: int = 100
    ) -> list[Message]:
        """Return the last messages of a chat before a position, in order; UnknownConversation."""
        self.conversation(conversation_id)
        with self._ledger.look() as tx:
            return tx.messages(conversation_id, before_position=before_position, limit=_bounded(limit))

    def gaps(self, conversation_id: int) -> list[Gap]:
        """Return what could not be captured of a chat; UnknownConversation."""
        self.conversation(conversation_id)
        with self._ledger.look() as tx:
            return tx.gaps(conversation_id)

    def removals(self, conversation_id: int) -> list[ChatRemoval]:
        """Return when a chat was found gone or cleared on its phone, in order; UnknownConversation."""
        self.conversation(conversation_id)
        with self._ledger.look() as tx:
            return tx.removals(conversation_id)

    def warnings(self, *, phone_id: PhoneId | None = None, limit: int = 100) -> list[Warned]:
        """Return the newest platform warnings, newest first."""
        with self._ledger.look() as tx:
            return tx.warnings(phone_id=phone_id, limit=_bounded(limit))

    def blind_screens(self, phone_id: PhoneId, *, limit: int = 20) -> list[BlindScreen]:
        """Return the screens of a phone that its agent could not read, newest first."""
        with self._ledger.look() as tx:
            return tx.blind_screens(phone_id, limit=_bounded(limit))

    def event(self, phone_id: PhoneId, spool_id: str, seq: int) -> StoredEvent | None:
        """Return an archived event."""
        with self._ledger.look() as tx:
            return tx.event(phone_id, spool_id, seq)

    def conflicts(self) -> int:
        """Return how many events came with another body than the one archived in their place."""
        with self._ledger.look() as tx:
            return tx.conflicts()

    # ---- inside

    def _accept(self, batch: Batch) -> int:
        with self._ledger.work() as work:
            intake = self._intake(work)
            reached = intake.take(intake.open(batch))
            intake.finish()
        intake.keep()
        return reached

    def _intake(self, work: Work) -> Intake:
        return Intake(work, self._places, self._reports, grams_of=self._grams_of)

    def _take_all(self, work: Work, intake: Intake, batches: Sequence[Batch]) -> list[int | Exception]:
        results: list[int | Exception] = [0] * len(batches)
        work.tx.expect_batches([batch.phone_id for batch in batches])
        # In one order everywhere, so that two controllers cannot wait for each other.
        for place in sorted(range(len(batches)), key=lambda n: batches[n].phone_id):
            try:
                opened = intake.open(batches[place])
            except (BadRequest, SpoolGap, UnknownPhone) as refusal:
                results[place] = refusal
                continue
            results[place] = intake.take(opened)
        intake.finish()
        return results

    def _alone(self, batch: Batch) -> int | Exception:
        try:
            return self._accept(batch)
        except Exception as error:  # noqa: BLE001 whoever brought the batch raises it
            return error


def _bounded(limit: int) -> int:
    return max(1, min(limit, _MAX_ROWS))
