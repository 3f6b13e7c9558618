"""What became of a command, in the interchange format's words."""

import attrs

from reverseflow.core.values import JsonObject


@attrs.frozen
class Result:
    """What became of one command, in the interchange format's words.

    `outcome` is ``applied``, ``replayed``, ``refused`` or ``failed``; `refund` the ticket's quoted
    amount at that moment as a decimal text.
    """

    outcome: str
    kind: str
    id: str = ""
    order_no: str = ""
    ticket_no: str = ""
    status: str = ""
    refund: str = ""
    currency: str = ""
    codes: tuple[str, ...] = ()
    message: str = ""

    def document(self, row: int | None = None) -> JsonObject:
        """The result line of the interchange format."""
        document: JsonObject = {} if row is None else {"row": row}
        fields = attrs.asdict(self)
        for name in (
            "kind",
            "id",
            "outcome",
            "order_no",
            "ticket_no",
            "status",
            "refund",
            "currency",
        ):
            document[name] = fields[name]
        return document | {"codes": list(self.codes), "message": self.message}
