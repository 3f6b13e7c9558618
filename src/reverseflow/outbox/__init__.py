"""The outbox room: hands instructions to movers, records what became of them, tries again.

The engine writes instructions in the transaction of their events; here they leave, each under one
key that never changes, as often as it takes and never within a transaction. `relay` is the way in.
"""
