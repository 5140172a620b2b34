"""Detects pages in languages whose accented letters rapidocr's models misread, although their characters include most of them.

The models read "ŭ" as "ů", "ț" as "t", "þ" as "b" and "ə" as "l" with scores above .9. The language is therefore detected by its
frequent words, compared without accents. Other languages that the models read well are in the table as rivals, so that their
pages never count as one of these.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

_WORD = re.compile(r"[^\W\d_]+")
_FEWEST = 5.0  # least weight of the frequent words on a page; a word that several languages have counts in part for each
_SHARE = 0.06  # least share of all words
_DIFFERENT = 4  # least number of different words
_CLEAR = 1.5  # the second language must have less weight by this factor
_FREQUENT = {
    "epo": "la kaj de en estas ne al por kun oni ĉiu ĉiuj sed aŭ ke el li ĝi kiu kiuj kiel ankaŭ tiu tiuj pli per sen inter sia",
    "ron": "și în de la pe nu este sunt din cu să se că sau mai prin pentru care fi lui ale unui unei după orice către nici "
    "acest această sale fost fără împotriva asupra",
    "slk": "a v na sa je že s z do o ako aj sú ktoré ktorý ktorá alebo pri bol bola bolo však nemôže jeho ich ho tiež ani "
    "všetky všetkých len od podľa má nie byť každý právo pre čo toho tohto svoje za",
    "ces": "a v na se je že s z do o jako i jsou které který která nebo při byl byla bylo však jen od podle má není být "
    "každý právo pro co toho tohoto své za jeho by ve ze",
    "lav": "un ir ar no uz par kas ka vai tiesības lai pie tā tas nav pēc kā arī to viņa savu bet jo tikai ikvienam ikvienas "
    "var bez kad tiek būt katram",
    "lit": "ir yra į iš kad su kaip arba ar bei jo jų tai už nuo turi būti dėl prie visi kiekvienas savo bet buvo teisė taip "
    "pat per gali ne",
    "hun": "a az és hogy nem is egy van meg de ha csak vagy minden mint már ez volt el kell lehet való szerint joga illetve "
    "valamint amely nélkül ki azt ezt",
    "tur": "ve bir bu için ile de da olarak olan her hakkı vardır veya gibi daha çok ne kadar sonra değil var olduğu ancak "
    "en kendi tarafından göre ya hiç kimse",
    "aze": "və vl bir bu üçün ilə ill də da olan hər hlr hüququ hüququna olaraq öz onun ki daha çox sonra malikdir yaxud "
    "tərəfindən trlfindln olmaq azad heç kim şəxs",
    "isl": "og í að á er sem til um það með við ekki fyrir eru en var eða hann frá af skal þess því allir hver rétt maður "
    "ber bess bað pess pað bví ekki verður hafa sé",
    "mlt": "li u ta tal il fil hu dritt għandu huwa dan din jew biss biex minn ma għal ghal kull hija wara meta kif tiegħu "
    "bla hadd ħadd kollha mill is dwar",
    "cym": "y yr a i yn o ar mae ei gan eu wedi oedd hawl ac am fod bod neu un nid yw sydd hyn hynny gyda dros unrhyw bawb "
    "rhag wrth fel cael yma",
    # Languages that the models read well.
    "eng": "the of and to in is that it for as with was on be by at this are from or an which not have a his has",
    "deu": "und der das die ist nicht mit von zu des im auf ein eine dem den einer es sich auch nach bei wird sind als aus "
    "er sie",
    "fra": "le les des la de et une un est dans que qui pas sur au du il elle ce avec sont aux cette ses leur ou en par pour a",
    "spa": "el los la las de y a en una un que por para del con se su es como lo al este esta sus o no ha pero entre cuando muy",
    "ita": "il che di e la una un in a sono della del non gli per con nel alla dei le si da ha anche delle nella è o ogni",
    "por": "que de e o a um uma por dos das para os as em da do no na ao com foi mais como seu sua pelo pela ser nos ou se",
    "cat": "el la els les de i a en un una que per amb del dels al als o no es és té seva seu dret tota tot persona són com",
    "glg": "o a os as de e en do da que un unha por para con non ten todo toda persoa dereito ao na no seu súa ou se",
    "nld": "het een de en dat niet op te voor zijn aan er om ook als bij naar uit wordt deze van in is heeft",
    "afr": "die en van is het nie op te vir om ook as by na uit word hierdie in sy wat met sal reg elke",
    "dan": "og i at er en et den det til af på for med som ikke der de har kan ved eller om skal være enhver sin han",
    "nob": "og i å er en et den det til av på for med som ikke de har kan ved eller om skal være enhver sin han fra",
    "nno": "og i å er ein eit den det til av på for med som ikkje dei har kan ved eller om skal vere kvar sin han frå",
    "swe": "och i att är en ett den det till av på för med som inte de har kan vid eller om skall vara var sin han",
    "fin": "ja on ei että se oli hän mutta kun niin kuin joka tai myös ovat olla jokaisella oikeus sekä hänen",
    "est": "ja on ei et see oli ta aga kui nii mis või ka igal inimesel õigus ning tema oma selle olla ega",
    "pol": "w z i na do od po ze za nie jest przez oraz się dla jak tym a o to każdy człowiek ma prawo lub jego",
    "hrv": "i u na je se da za s od ili su ne koji koja koje kao o iz a po svatko pravo ima njegov biti nitko svojih",
    "srp": "i u na je se da za sa od ili su ne koji koja koje kao o iz a po svako pravo ima njegov biti niko svojih",
    "slv": "in v na je se da za z s od ali so ne ki kot o iz a po vsakdo pravico ima do ter pri tudi njegove",
    "sqi": "dhe të në e i me për që nuk nga si se një është ose ka të drejtë çdo kush jo tij",
    "gle": "agus an na a i ar is le do go sé ag ná chun nó bhfuil gach uile duine ceart aige féin",
    "gla": "agus an na a air is le do gu e aig no tha bhith gach duine coir aige fhein ann",
    "bre": "ha ar an a e da eus gant ur un hag evit d'ar pep den gwir zo en pe ne",
    "eus": "eta da ez du bat gizabanako izango dute egiteko edo bere den hori eskubidea dira baina nor",
    "fao": "og í at er tað til á sum hevur rætt ein við ella eru av fyri skal ikki um hann manna",
    "ltz": "de an d der vun ass e fir huet op mat den ze net oder eng s en all mënsch recht ginn",
    "roh": "e la il ils da che in ina a per en cun u betg ha dretg mintga uman es sia",
    "ind": "dan yang di dari untuk dengan ini tidak atau pada dalam setiap orang berhak atas itu oleh ke",
    "swa": "na ya wa kwa ni la katika za haki kila mtu au yake ana cha kuwa hii",
    "fil": "ang ng sa mga at na ay may bawat tao karapatan o kanyang hindi para ito",
    "lat": "et in non est ad cum ut ex sed qui quod ab per si aut quae esse hoc atque",
    "uzb": "va har bir inson ega huquqiga uchun bilan yoki bu shaxs o emas ham uning hech kim",
    "tuk": "we her bir adamyň hukugy bar üçin bilen ýa hem bu hiç ynsan öz haklydyr",
    "kmr": "û li bi ji di de ku her kes xwe mafê heye yan an ne bo na wî hebe",
}
_AFFECTED = {
    "epo": "ĉĝĥĵŝŭ",
    "ron": "ăâîșțşţ",
    "slk": "áäčďéíĺľňóôŕšťúýž",
    "ces": "áčďéěíňóřšťúůýž",
    "lav": "āčēģīķļņšūžŗō",
    "lit": "ąčęėįšųūž",
    "hun": "áéíóöőúüű",
    "tur": "çğıöşüâîûi̇",
    "aze": "əçğıöşüi̇",
    "isl": "áðéíóúýþæö",
    "mlt": "ċġħżàèìòùé",
    "cym": "âêîôûŵŷáéíóúïëöäà",
}
UNREADABLE = frozenset({"aze"})  # Tesseract's pack does not know the schwa either
_OTHER_LETTERS = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "b", "ə": "e", "ħ": "h", "æ": "ae", "ß": "ss"}
)


def letters_of(pack: str) -> frozenset[str]:
    """Returns the letters of a language of the table that are not ASCII, capital ones included."""
    small = _AFFECTED[pack]
    return frozenset(small + small.upper())


def bare(text: str) -> str:
    """Returns the text in lower case, without accents."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFD", text.lower().translate(_OTHER_LETTERS))
    return "".join(char for char in parts if not unicodedata.combining(char))


def _table() -> dict[str, tuple[str, ...]]:
    languages: dict[str, dict[str, None]] = {}
    for pack, words in _FREQUENT.items():
        for word in words.split():
            languages.setdefault(bare(word), {})[pack] = None
    return {word: tuple(packs) for word, packs in languages.items()}


_LANGUAGES_OF = _table()


def language_of(texts: Iterable[str]) -> str:
    """Returns Tesseract's pack for the language of a page's lines if the models misread its accented letters; "" for others."""
    words: Sequence[str] = _WORD.findall(bare("\n".join(texts)))
    weights, different = dict.fromkeys(_FREQUENT, 0.0), dict[str, set[str]]()
    for word in words:
        for pack in (packs := _LANGUAGES_OF.get(word, ())):
            weights[pack] += 1 / len(packs)
            different.setdefault(pack, set()).add(word)
    second, first = sorted(weights, key=lambda pack: weights[pack])[-2:]
    is_frequent = weights[first] >= max(_FEWEST, _SHARE * len(words)) and len(different[first]) >= _DIFFERENT
    return first if first in _AFFECTED and is_frequent and weights[first] >= _CLEAR * weights[second] else ""
