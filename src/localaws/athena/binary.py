"""Trino's binary chapter in DuckDB's SQL: bases, byte orders, IEEE 754, checksums, and text functions of binary.

FUNCTIONS and MACROS are in the form of functions.py and macros.py, which add them to theirs. The overloads of BLOB
stand beside those of text in macros.py. (trino.io/docs/current/functions/binary.html)
"""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # RFC 4648, section 6


def _crc_table() -> str:
    """CRC-32 (RFC 1952, section 8) of every byte."""
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (0xEDB88320 if value & 1 else 0)
        table.append(value)
    return ", ".join(map(str, table))


FUNCTIONS = {
    "crc32": "t_crc32/1", "from_base": "t_from_base/2", "to_base": "t_to_base/2",
    "from_base32": "t_from_base32/1", "to_base32": "t_to_base32/1",
    "from_base64url": "t_from_base64url/1", "to_base64url": "t_to_base64url/1",
    "from_big_endian_32": "t_from_big_endian_32/1", "from_big_endian_64": "t_from_big_endian_64/1",
    "to_big_endian_32": "t_to_big_endian_32/1", "to_big_endian_64": "t_to_big_endian_64/1",
    "from_ieee754_32": "t_from_ieee754_32/1", "from_ieee754_64": "t_from_ieee754_64/1",
    "to_ieee754_32": "t_to_ieee754_32/1", "to_ieee754_64": "t_to_ieee754_64/1",
}  # fmt: skip

MACROS = {
    "t_digits(s, r)": f"list_transform(string_split(s, ''), lambda t__c: strpos('{_DIGITS[:36]}', t__c) - 1)",
    "t_from_digits(s, r)": "list_reduce(t_digits(s, r), lambda t__a, t__d: t__a * r + t__d, CAST(0 AS HUGEINT))",
    "t_from_base(s, r)": """CASE
        WHEN r < 2 OR r > 36 THEN t_bad_bigint('Radix must be between 2 and 36')
        WHEN NOT regexp_full_match(s, '[+-]?[0-9a-zA-Z]+') OR list_max(t_digits(ltrim(lower(s), '+-'), r)) >= r
        THEN t_bad_bigint('Not a valid base-' || r || ' number: ' || s)
        ELSE CAST(t_from_digits(ltrim(lower(s), '+-'), r) * CASE WHEN starts_with(s, '-') THEN -1 ELSE 1 END AS BIGINT)
        END""",
    "t_to_base(x, r)": """CASE
        WHEN r < 2 OR r > 36 THEN t_bad_varchar('Radix must be between 2 and 36')
        WHEN x < 0 THEN '-' || lower(to_base(-x, CAST(r AS INTEGER))) ELSE lower(to_base(x, CAST(r AS INTEGER))) END""",
    "t_to_base64url(b)": "translate(to_base64(b), '+/', '-_')",
    "t_from_base64url(s)": "from_base64(translate(rtrim(s, '='), '-_', '+/') "
    "|| repeat('=', (4 - length(rtrim(s, '=')) % 4) % 4))",
    "t_to_big_endian_64(x)": "unhex(lpad(hex(CAST(x AS BIGINT)), 16, '0'))",
    "t_to_big_endian_32(x)": "unhex(right(lpad(hex(CAST(CAST(x AS INTEGER) AS BIGINT)), 16, '0'), 8))",
    **{
        f"t_from_big_endian_{bits}(b)": f"CASE WHEN octet_length(b) = {bits // 8} "
        f"THEN CAST(t_signed(t_from_digits(lower(hex(b)), 16), {bits}) AS {kind}) "
        f"ELSE t_bad_{kind}('expected {bits // 8}-byte input, but got instead: ' || octet_length(b)) END"
        for bits, kind in ((32, "INTEGER"), (64, "BIGINT"))
    },
    "t_crc32(b BLOB)": "CAST(xor(list_reduce(list_transform(range(octet_length(b)), lambda t__i: "
    "t_from_digits(lower(substr(hex(b), CAST(t__i * 2 + 1 AS BIGINT), 2)), 16)::BIGINT), lambda t__c, t__b: "
    f"xor(t__c >> 8, [{_crc_table()}][(xor(t__c, t__b) & 255) + 1]), 4294967295), 4294967295) AS BIGINT)",
    **{
        f"t_to_ieee754_{bits}(x)": f"CAST(CAST(CAST(x AS {kind}) AS BIT) AS BLOB)"
        for bits, kind in ((32, "FLOAT"), (64, "DOUBLE"))
    },
    **{
        f"t_from_ieee754_{bits}(b)": f"CASE WHEN octet_length(b) = {bits // 8} THEN CAST(CAST(b AS BIT) AS {kind}) "
        "WHEN b IS NOT NULL THEN CAST(t_fail('INVALID_FUNCTION_ARGUMENT: Input floating-point value must be exactly "
        f"{bits // 8} bytes long') AS {kind}) END"
        for bits, kind in ((32, "FLOAT"), (64, "DOUBLE"))
    },
    # 40 bits are 5 bytes and 8 letters
    "t_bits(b)": "CASE WHEN octet_length(b) = 0 THEN '' ELSE CAST(CAST(b AS BIT) AS VARCHAR) END",
    "t_letter(bits)": f"substr('{_BASE32}', CAST(CAST(lpad(rpad(bits, 5, '0'), 32, '0') AS BIT) AS INTEGER) + 1, 1)",
    "t_to_base32(b)": "list_transform([t_bits(b)], lambda t__b: rpad(array_to_string(list_transform("
    "regexp_extract_all(t__b, '.{1,5}'), lambda t__l: t_letter(t__l)), ''), "
    "CAST((length(t__b) + 39) // 40 * 8 AS INTEGER), '='))[1]",
    "t_letter_bits(c)": f"right(CAST(CAST(CAST(strpos('{_BASE32}', c) - 1 AS INTEGER) AS BIT) AS VARCHAR), 5)",
    "t_from_letters(s)": f"CASE WHEN s = '' THEN encode('') WHEN regexp_full_match(s, '[{_BASE32}]+') AND "
    "length(s) % 8 NOT IN (1, 3, 6) THEN CAST(CAST(left(array_to_string(list_transform("
    "regexp_extract_all(s, '.'), lambda t__c: t_letter_bits(t__c)), ''), CAST(length(s) * 5 // 8 * 8 AS BIGINT)) "
    "AS BIT) AS BLOB) WHEN s IS NOT NULL "
    "THEN encode(t_fail('INVALID_FUNCTION_ARGUMENT: Invalid input for base32: ' || s)) END",
    "t_from_base32(s)": "t_from_letters(rtrim(s, '='))",
    "t_from_base32(b BLOB)": "t_from_letters(rtrim(decode(b), '='))",
    "t_length(s)": "length(s)",
    "t_length(b BLOB)": "octet_length(b)",
    "t_reverse(b BLOB)": "unhex(array_to_string(list_reverse(regexp_extract_all(hex(b), '..')), ''))",
    "t_substr(b BLOB, i)": "CASE WHEN b IS NULL OR i IS NULL THEN NULL WHEN i = 0 OR abs(i) > octet_length(b) "
    "THEN encode('') ELSE list_slice(b, CASE WHEN i < 0 THEN octet_length(b) + i + 1 ELSE i END, octet_length(b)) END",
    "t_substr(b BLOB, i, n)": "CASE WHEN n IS NULL THEN NULL WHEN n <= 0 THEN encode('') "
    "ELSE list_slice(t_substr(b, i), 1, n) END",
    "t_filled(p, n)": "list_slice(repeat(p, CAST(n AS BIGINT)), 1, n)",
    "t_lpad(b BLOB, n, p BLOB)": "CASE WHEN t_padding(n, p) <= octet_length(b) THEN list_slice(b, 1, n) "
    "ELSE t_filled(p, n - octet_length(b)) || b END",
    "t_rpad(b BLOB, n, p BLOB)": "CASE WHEN t_padding(n, p) <= octet_length(b) THEN list_slice(b, 1, n) "
    "ELSE b || t_filled(p, n - octet_length(b)) END",
    "t_padding(n, p BLOB)": "CASE WHEN n < 0 THEN t_bad_integer('Target length must be in the range [0..2147483647]') "
    "WHEN octet_length(p) = 0 THEN t_bad_integer('Padding bytes must not be empty') ELSE CAST(n AS INTEGER) END",
}
