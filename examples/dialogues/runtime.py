"""One conversation as a bot's runtime lives it: what it hears, decides, does and says, told to the session's log."""

from contextlib import ExitStack

from headrace import SessionLog

from .format import NO_INTENT, Act, Frame, State, Turn


class Runtime:
    """Lives the turns of one conversation, and knows what was wanted and told before: only changes are events."""

    def __init__(self, log: SessionLog) -> None:
        self._log = log
        self._dialog: str | None = None
        self._intents: dict[str, str] = {}
        self._spellings: dict[tuple[str, str], tuple[str, ...]] = {}
        self._turn = ExitStack()

    def live(self, turn: Turn) -> None:
        """Live one *turn* of the dialogue. For the log, a turn is what the user says and what the system answers."""
        if turn.speaker == "USER":
            self._hear(turn)
        else:
            self._speak(turn)

    def end(self) -> None:
        """Leave what is still open: the dialog, and a turn that nobody answered."""
        self._go_to(None)
        self._turn.close()

    def _hear(self, turn: Turn) -> None:
        self._turn.close()
        self._turn.enter_context(self._log.turn(input="text"))
        self._log.emit("bot.message.received", text=turn.utterance)
        for frame in turn.frames:
            if frame.state is not None:
                self._intend(frame.service, frame.state.active_intent)
                self._remember(frame.service, frame.state)

    def _speak(self, turn: Turn) -> None:
        for frame in turn.frames:
            self._call(frame)
            self._step(frame)
        self._log.emit("bot.message.sent", text=turn.utterance)
        self._turn.close()

    def _intend(self, service: str, intent: str) -> None:
        if self._intents.get(service, NO_INTENT) == intent:
            return
        self._intents[service] = intent
        if intent == NO_INTENT:
            self._go_to(None)
        else:
            self._log.emit("bot.intent.detected", intent=intent, service=service)
            self._go_to(f"{service}.{intent}")

    def _go_to(self, dialog: str | None) -> None:
        """One dialog runs at a time, one for each intent of a service."""
        left, self._dialog = self._dialog, dialog
        if left is not None:
            self._log.emit("bot.dialog.exited", dialog=left)
        if dialog is not None:
            self._log.emit("bot.navigation", source=left or "", target=dialog, reason="intent")
            self._log.emit("bot.dialog.entered", dialog=dialog, via="intent")

    def _remember(self, service: str, state: State) -> None:
        """A slot changed when none of its spellings is one of those before."""
        for slot, spellings in state.slot_values.items():
            before = self._spellings.get((service, slot), ())
            self._spellings[service, slot] = spellings
            if spellings and not set(spellings) & set(before):
                self._log.emit("bot.variable.set", variable=slot, value=spellings[0], by="user", service=service)
        if state.requested_slots:
            self._log.emit("bot.step.executed", step="answer", dialog=self._dialog or "", slots=state.requested_slots)

    def _call(self, frame: Frame) -> None:
        call = frame.service_call
        if call is None:
            return
        results = frame.service_results
        with self._log.action(
            call.method, kind="external_service", service=frame.service, parameters=call.parameters
        ) as action:
            if frame.failed:
                action.fail(f"{frame.service} could not do {call.method} as asked for", type="ServiceFailed")
            else:
                action.output(count=len(results), first=results[0] if results else None)

    def _step(self, frame: Frame) -> None:
        """Each kind of act is one step, with the slots that it is about."""
        slots: dict[str, list[str]] = {}
        for action in frame.actions:
            slots.setdefault(action.act, []).extend(_slot_of(action))
        for act, about in slots.items():
            self._log.emit("bot.step.executed", step=act.lower(), dialog=self._dialog or "", slots=about)


def _slot_of(action: Act) -> tuple[str, ...]:
    return (action.slot,) if action.slot else ()
