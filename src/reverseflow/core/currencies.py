"""ISO 4217: how many decimals each currency has (a test compares the table with `iso4217`)."""

from reverseflow.core.errors import AmountError, shown

_CODES_BY_EXPONENT = {
    0: ("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF "),
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN "
        "BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD "
        "FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW "
        "KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR "
        "MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG "
        "SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD "
        "USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG "
    ),
    3: ("BHD IQD JOD KWD LYD OMR TND "),
    4: ("CLF UYW "),
}
EXPONENTS: dict[str, int] = {
    code: exponent for exponent, codes in _CODES_BY_EXPONENT.items() for code in codes.split()
}


def exponent_of(currency: str) -> int:
    """The number of decimals of an ISO 4217 currency; `AmountError` for any other code."""
    try:
        return EXPONENTS[currency]
    except (KeyError, TypeError):
        raise AmountError(
            "unknown_currency", f"{shown(currency)} is not an ISO 4217 currency with minor units"
        ) from None
