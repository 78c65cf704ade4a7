"""A second decoder for JPEG lossless (ISO 10918-1, annex H), written for clearness: slow, one component only."""

from struct import unpack_from

import numpy as np
import numpy.typing as npt


def decode(data: bytes) -> npt.NDArray[np.uint16]:
    """Decode a stream of one component, (rows, columns), any predictor, no restart intervals."""
    tables: dict[int, dict[tuple[int, int], int]] = {}
    position = 2
    rows = columns = precision = 0
    while True:
        assert data[position] == 0xFF
        marker, length = data[position + 1], unpack_from(">H", data, position + 2)[0]
        body = data[position + 4 : position + 2 + length]
        position += 2 + length
        if marker == 0xC3:
            precision, rows, columns, components = unpack_from(">BHHB", body)
            assert components == 1
        elif marker == 0xC4:
            _read_tables(body, tables)
        elif marker == 0xDD:
            assert unpack_from(">H", body)[0] == 0
        elif marker == 0xDA:
            table, predictor, shift = tables[body[2] >> 4], body[3], body[5] & 15
            break
    end = data.rfind(b"\xff\xd9")
    stream = data[position:end].replace(b"\xff\x00", b"\xff")
    return _samples(_differences(stream, table, rows * columns), rows, columns, precision, predictor) << shift


def _read_tables(body: bytes, tables: dict[int, dict[tuple[int, int], int]]) -> None:
    while body:
        counts, values = body[1:17], body[17:]
        codes: dict[tuple[int, int], int] = {}
        code = used = 0
        for length, count in enumerate(counts, 1):
            for _ in range(count):
                codes[length, code] = values[used]
                code, used = code + 1, used + 1
            code <<= 1
        tables[body[0] & 15] = codes
        body = values[used:]


def _differences(stream: bytes, table: dict[tuple[int, int], int], count: int) -> list[int]:
    bits = np.unpackbits(np.frombuffer(stream, np.uint8)).tolist() + [1] * 32
    found: list[int] = []
    place = 0
    for _ in range(count):
        code, length = bits[place], 1
        place += 1
        while (length, code) not in table:
            code, length, place = code << 1 | bits[place], length + 1, place + 1
        category = table[length, code]
        if category == 16:
            found.append(32768)
            continue
        value = 0
        for bit in bits[place : place + category]:
            value = value << 1 | bit
        place += category
        found.append(value if category == 0 or value >> (category - 1) else value - (1 << category) + 1)
    return found


def _samples(differences: list[int], rows: int, columns: int, precision: int, predictor: int) -> npt.NDArray[np.uint16]:
    lines: list[list[int]] = []
    for row in range(rows):
        line: list[int] = []
        above = lines[-1] if lines else []
        for column in range(columns):
            if column == 0:
                guess = above[0] if row else 1 << (precision - 1)
            elif row == 0 or predictor == 1:
                guess = line[-1]
            else:
                left, up, corner = line[-1], above[column], above[column - 1]
                guess = {
                    2: up,
                    3: corner,
                    4: left + up - corner,
                    5: left + (up - corner >> 1),
                    6: up + (left - corner >> 1),
                    7: left + up >> 1,
                }[predictor]
            line.append(guess + differences[row * columns + column] & 0xFFFF)
        lines.append(line)
    return np.array(lines, np.uint16)
