"""One input file, or standard input: what it is, before a row of it is believed.

`open_source` looks at every byte once — is it a plain file, is it text, in which encoding, what
is its digest — and refuses the input whole, or hands back a `Source` that may be read as often
as needed. The readers of tables and of JSON stand on this room; nothing is decoded elsewhere.
"""

import codecs
import hashlib
import io
import os
import re
import stat
import sys
import tempfile
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import attrs

from reverseflow.core.errors import InputError, shown

LINE_LIMIT = 1 << 20  # characters; a longer line is handed on cut

_CHUNK = 1 << 20  # bytes
_WIDE_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NOT_TEXT = (
    ((b"PK\3\4", b"PK\5\6"), "an XLSX workbook or a ZIP archive", "save the sheet as CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "an old or a locked Excel workbook", "save the sheet as CSV UTF-8"),
    (b"\x1f\x8b", "compressed with gzip", "unpack it first"),
)
_ENCODING_PROBE = b"Az09 ,;\t\"'{}[]:._-@/\\x41\\u0041~~+AGE-\r\n"
_NO_WAIT: int = getattr(os, "O_NONBLOCK", 0)
_MARK = "\ufeff"
_See = Callable[[Any], object]
_WIDE = re.compile("[\u0800-\U0010ffff]")


class Line(NamedTuple):
    """A physical line with its end kept; of a `cut` one only the first `LINE_LIMIT` characters.

    `quotes_cut` counts the quotation marks in the part cut off, for whoever follows them.
    """

    number: int
    text: str
    cut: bool = False
    quotes_cut: int = 0


@attrs.frozen
class Source:
    """Text that passed `open_source`; every reading starts at its beginning.

    `path` is None for standard input; `name` stands in places (``name:row``); `encoding` is a
    codec name; `digest` the SHA-256 of the raw bytes in hexadecimal; `encoding_note` a sentence
    for the operator where the encoding was guessed, else empty.
    """

    path: Path | None
    name: str
    encoding: str
    digest: str
    encoding_note: str = ""
    _spool: "_Spool | None" = attrs.field(default=None, repr=False, eq=False)

    def open_bytes(self) -> io.BufferedReader:
        """The raw bytes from the start; `InputError` when the file can no longer be opened."""
        if self._spool is not None:
            return io.BufferedReader(_SpoolReader(self._spool))
        assert self.path is not None, "a source is a file, or it is spooled"
        return _open_regular(self.path, self.name)

    def lines(self) -> Generator[Line, None, None]:
        """The lines one by one, ended by LF alone, in bounded memory; a leading mark is dropped.

        Raises `InputError` `file_unreadable`, or `file_changed` where bytes no longer decode.
        """
        with self._reading() as stream:
            for number, text in enumerate(iter(partial(stream.readline, LINE_LIMIT), ""), 1):
                cut = len(text) == LINE_LIMIT and not text.endswith("\n")
                quotes_cut = _skip_to_line_end(stream) if cut else 0
                kept = text.removeprefix(_MARK) if number == 1 else text
                yield Line(number, kept, cut, quotes_cut)

    def text(self, limit: int) -> str:
        """All of it as one string of at most `limit` characters, else `file_too_large`."""
        with self._reading() as stream:
            text = stream.read(limit + 1)
        if len(text) > limit:
            what = f"more than {limit} characters; split it, or use JSON Lines"
            raise InputError("file_too_large", what, place=self.name)
        return text.removeprefix(_MARK)

    def check_unchanged(self) -> None:
        """Hash the bytes again; raises `file_changed` when they are not those first seen."""
        try:
            with self.open_bytes() as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except (InputError, OSError):
            digest = ""
        if digest != self.digest:
            raise self._changed()

    def _changed(self) -> InputError:
        message = "the file changed while it was read; nothing more of it is applied, run it again"
        return InputError("file_changed", message, place=self.name)

    @contextmanager
    def _reading(self) -> Iterator[io.TextIOWrapper]:
        try:
            with io.TextIOWrapper(self.open_bytes(), self.encoding, newline="\n") as stream:
                yield stream
        except UnicodeError:
            raise self._changed() from None
        except OSError as fault:
            raise _unreadable(fault, self.name) from None


def open_source(path: str, encoding: str | None = None) -> Source:
    """Read `path` (``-``: standard input) once to its end and say what it is.

    Without `encoding` the text is UTF-8, else GB18030, never anything else. Raises `InputError`:
    `file_missing`, `file_is_directory`, `not_a_regular_file`, `file_unreadable`, `not_text`,
    `unknown_encoding`, `wrong_encoding` (with the byte offset).
    """
    name = "<stdin>" if path == "-" else path if path.isprintable() else shown(path, limit=255)
    codec = "utf-8" if encoding is None else _codec(encoding, name)
    digest = hashlib.sha256()
    try:
        spool = _spooled_standard_input(name) if path == "-" else None
        source = Source(None if spool else Path(path), name, codec, "", spool=spool)
        with source.open_bytes() as stream:
            chunks = _watched(stream, source, digest.update)
            bad = _first_bad_byte(chunks, codec)
            for _ in chunks:
                pass  # the digest covers what follows a bad byte too
        source = attrs.evolve(source, digest=digest.hexdigest())
        if bad is None or encoding is None:
            return source if bad is None else _as_gb18030(source, bad)
        raise _wrong_encoding(source, bad, f"is not {codec}; name the file's real encoding")
    except OSError as fault:
        raise _unreadable(fault, name) from None


def _codec(encoding: str, name: str) -> str:
    """The codec's own name, if it is one of text in which ASCII stands for itself."""
    with suppress(LookupError, ValueError):
        codec = codecs.lookup(encoding).name.removesuffix("-sig")
        if codec != "idna" and _ENCODING_PROBE.decode(codec) == _ENCODING_PROBE.decode():
            return codec
    message = f"{shown(encoding)} names no encoding; use utf-8, gb18030, big5 or cp1252"
    raise InputError("unknown_encoding", message, place=name)


def _watched(stream: io.BufferedReader, source: Source, see: _See) -> Iterator[bytes]:
    """The chunks of `stream`, each shown to `see`, refused as soon as they cannot be text."""
    offset = 0
    for chunk in _chunks(stream):
        if offset == 0:
            _refuse_by_first_bytes(chunk, source)
        if (zero := chunk.find(0)) >= 0:
            raise _wrong_encoding(source, offset + zero, "is NUL; UTF-8 or GB18030 text has none")
        see(chunk)
        offset += len(chunk)
        yield chunk


def _refuse_by_first_bytes(first: bytes, source: Source) -> None:
    for magic, what, advice in _NOT_TEXT:
        if first.startswith(magic):
            raise InputError("not_text", f"the file is {what}; {advice}", place=source.name)
    if first.startswith(_WIDE_MARKS):
        raise _wrong_encoding(source, 0, "begins a mark of UTF-16 or UTF-32; save it as UTF-8")
    if first.startswith(codecs.BOM_UTF8) and source.encoding != "utf-8":
        raise _wrong_encoding(source, 0, f"begins a mark of UTF-8, not of {source.encoding}")


def _first_bad_byte(chunks: Iterable[bytes], encoding: str, see: _See = len) -> int | None:
    """Offset of the first byte that is not `encoding`, or None; `see` gets the text before it."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    offset = 0
    try:
        for chunk in chunks:
            offset += len(chunk)
            see(decoder.decode(chunk))
        see(decoder.decode(b"", final=True))
    except UnicodeDecodeError as fault:
        see(fault.object[: fault.start].decode(encoding, "ignore"))
        return offset - len(fault.object) + fault.start
    return None


def _as_gb18030(source: Source, bad: int) -> Source:
    """The source as GB18030, if it is that beyond doubt; `bad` is the first byte not UTF-8."""
    wide: set[bool] = set()
    tally = {"foreign": 0, "common": 0}

    def count(text: str) -> None:
        known = text.encode("gb2312", "ignore")
        tally["foreign"] += len(text) - len(text.encode("ascii", "ignore"))
        tally["common"] += len(known) - len(known.decode("gb2312"))  # two bytes each

    with source.open_bytes() as stream:
        _first_bad_byte(_chunks(stream), "utf-8", lambda text: wide.add(bool(_WIDE.search(text))))
    if True in wide:  # bytes of GB18030 hardly ever make such a character by chance
        raise _wrong_encoding(source, bad, "breaks the UTF-8 text; the file is damaged or mixed")
    with source.open_bytes() as stream:
        worse = _first_bad_byte(_chunks(stream), "gb18030", count)
    if worse is not None or tally["common"] * 2 < tally["foreign"]:  # Western words may decode
        where = "words" if worse is None else f"text at byte {worse}"
        what = f"is not UTF-8, as GB18030 it makes no {where}; name the encoding with --encoding"
        raise _wrong_encoding(source, bad, what)
    note = f"{source.name}: read as gb18030, since byte {bad} is not UTF-8; --encoding states it"
    return attrs.evolve(source, encoding="gb18030", encoding_note=note)


def _wrong_encoding(source: Source, offset: int, what: str) -> InputError:
    return InputError("wrong_encoding", f"byte {offset} {what}", place=source.name)


def _open_regular(path: Path, name: str) -> io.BufferedReader:
    """A plain file opened for reading; never waits for a pipe, never touches a device."""
    try:
        _refuse_special(path.stat().st_mode, name)
        file = io.FileIO(path, opener=lambda name, flags: os.open(name, flags | _NO_WAIT))
    except (OSError, ValueError) as fault:
        raise _unreadable(fault, name) from None
    _refuse_special(os.fstat(file.fileno()).st_mode, name)  # it may have been replaced meanwhile
    return io.BufferedReader(file)


def _refuse_special(mode: int, name: str) -> None:
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        message = "a pipe, device or socket cannot be read twice; hand it in as - instead"
        raise InputError("not_a_regular_file", message, place=name)


def _unreadable(fault: OSError | ValueError, name: str) -> InputError:
    if isinstance(fault, ValueError | FileNotFoundError | NotADirectoryError):
        return InputError("file_missing", "there is no such file", place=name)
    if isinstance(fault, IsADirectoryError):
        return InputError("file_is_directory", "this is a directory; name a file", place=name)
    return InputError("file_unreadable", (fault.strerror or "no reason known").lower(), place=name)


def _chunks(stream: io.BufferedReader) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk


def _skip_to_line_end(stream: io.TextIOWrapper) -> int:
    """Read the rest of the line away; the number of quotation marks in it."""
    quotes, rest = 0, "-"
    while rest and not rest.endswith("\n"):
        rest = stream.readline(LINE_LIMIT)
        quotes += rest.count('"')
    return quotes


class _Spool:
    """Standard input in an unnamed temporary file, which is gone with its last source."""

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - outlives this call
        weakref.finalize(self, self.file.close)


class _SpoolReader(io.RawIOBase):
    """A reading position of its own in a spool, for one thread."""

    def __init__(self, spool: _Spool) -> None:
        self._spool, self._offset = spool, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._spool.file.seek(self._offset)
        chunk = self._spool.file.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self._offset += len(chunk)
        return len(chunk)


def _spooled_standard_input(name: str) -> _Spool:
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None or stream.closed:
        raise InputError("file_unreadable", "standard input is closed", place=name)
    spool = _Spool()
    for chunk in _chunks(stream):
        spool.file.write(chunk)
        if 0 in chunk:  # refused as soon as it is looked at, and perhaps endless
            break
    return spool
