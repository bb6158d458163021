"""Names in one form, so that scripts, accents, case, punctuation and the order of words do not keep them apart."""

# ruff: noqa: RUF001 - letters of other scripts are what this is about

import re
import unicodedata

_CYRILLIC = (
    "а a,б b,в v,г g,ґ g,д d,е e,ё e,є ie,ж zh,з z,и i,і i,ї i,й i,к k,л l,м m,н n,о o,п p,р r,с s,т t,у u,ф f,х kh,"
    "ц ts,ч ch,ш sh,щ shch,ъ ,ы y,ь ,э e,ю iu,я ia"
)
_GREEK = "α a,β v,γ g,δ d,ε e,ζ z,η i,θ th,ι i,κ k,λ l,μ m,ν n,ξ x,ο o,π p,ρ r,σ s,ς s,τ t,υ y,φ f,χ ch,ψ ps,ω o"
_ARABIC = (
    "ا a,أ a,إ i,آ a,ب b,ت t,ث th,ج j,ح h,خ kh,د d,ذ dh,ر r,ز z,س s,ش sh,ص s,ض d,ط t,ظ z,ع a,غ gh,ف f,ق q,ك k,ل l,م m,"
    "ن n,ه h,ة a,و w,ي y,ى a,ء ,ئ y,ؤ w,پ p,چ ch,گ g"
)
_LATIN = "ß ss,æ ae,œ oe,ø o,đ d,ð d,þ th,ł l,ı i,ħ h,ŋ ng"
_LETTERS = str.maketrans(
    {
        letter: written
        for table in (_CYRILLIC, _GREEK, _ARABIC, _LATIN)
        for letter, _, written in (pair.partition(" ") for pair in table.split(","))
    }
)
_PARTICLES = frozenset(
    ["da", "das", "de", "del", "der", "di", "do", "dos", "du", "e", "el", "al", "bin", "ibn", "la", "le", "van", "von"]
)
_BREAKS = re.compile(r"[^\w]+")


def split_name(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case and Latin letters without accents; particles are left out.

    Scripts that are not known here keep their letters. A name of particles alone keeps them.
    """
    composed = unicodedata.normalize("NFKC", name).casefold().translate(_LETTERS)
    plain = "".join(mark for mark in unicodedata.normalize("NFKD", composed) if not unicodedata.combining(mark))
    words = tuple(word for word in _BREAKS.split(plain.translate(_LETTERS)) if word)
    return tuple(word for word in words if word not in _PARTICLES) or words
