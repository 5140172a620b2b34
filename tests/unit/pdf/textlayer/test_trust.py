"""One paragraph per case: good text layers, and the errors of bad ones."""

from __future__ import annotations

import pytest

from rayocr.pdf.textlayer.trust import judge

GOOD = {
    "greek": (
        "Το συμβούλιο αποφάσισε ότι η συνεδρίαση θα γίνει την επόμενη εβδομάδα στην Αθήνα. Όλα τα μέλη "
        "καλούνται να παραστούν εγκαίρως."
    ),
    "russian": (
        "Совет постановил, что следующее заседание состоится на будущей неделе в Москве. Все члены приглашаются прибыть вовремя."
    ),
    "arabic": ("قرر المجلس أن تعقد الجلسة القادمة في الأسبوع المقبل في القاهرة. يرجى من جميع الأعضاء الحضور في الموعد المحدد."),
    "hebrew": ("המועצה החליטה שהישיבה הבאה תתקיים בשבוע הבא בירושלים. כל החברים מוזמנים להגיע בזמן ולהביא את המסמכים."),
    "chinese": ("理事会决定下次会议将于下周在北京举行。请所有成员准时出席，并携带有关文件。会议将讨论明年的预算和工作计划。"),
    "japanese": ("理事会は次回の会議を来週東京で開催することを決定しました。すべての委員は時間どおりに出席してください。"),
    "korean": ("이사회는 다음 회의를 다음 주 서울에서 개최하기로 결정했습니다. 모든 위원은 제시간에 참석하시기 바랍니다."),
    "thai": ("คณะกรรมการมีมติให้จัดการประชุมครั้งต่อไปในสัปดาห์หน้าที่กรุงเทพมหานคร ขอให้สมาชิกทุกท่านเข้าร่วมให้ตรงเวลา"),
    "marathi": (
        "महाराष्ट्र शासनाने असा निर्णय घेतला आहे की पुढील बैठक पुढच्या आठवड्यात मुंबई येथे होईल. सर्व "
        "सदस्यांनी वेळेवर उपस्थित राहावे. अॅड. पाटील यांनी ऑनलाइन अर्ज, अ\u200dॅप आणि कॉलेज यांची माहिती "
        "दिली."
    ),
    "hindi": ("परिषद ने निर्णय लिया है कि अगली बैठक अगले सप्ताह दिल्ली में होगी। सभी सदस्यों से अनुरोध है कि वे समय पर उपस्थित हों।"),
    "bengali": ("পরিষদ সিদ্ধান্ত নিয়েছে যে পরবর্তী সভা আগামী সপ্তাহে কলকাতায় অনুষ্ঠিত হবে। সকল সদস্যকে সময়মতো উপস্থিত থাকতে অনুরোধ করা হচ্ছে।"),
    "tamil": ("அடுத்த கூட்டம் அடுத்த வாரம் சென்னையில் நடைபெறும் என்று குழு முடிவு செய்துள்ளது. அனைத்து உறுப்பினர்களும் சரியான நேரத்தில் வர வேண்டும்."),
    "telugu": ("తదుపరి సమావేశం వచ్చే వారం హైదరాబాద్\u200cలో జరుగుతుందని కమిటీ నిర్ణయించింది. సభ్యులందరూ సమయానికి హాజరు కావాలి."),
    "gujarati": ("પરિષદે નિર્ણય લીધો છે કે આગામી બેઠક આવતા અઠવાડિયે અમદાવાદમાં યોજાશે. તમામ સભ્યોએ સમયસર હાજર રહેવું."),
    "kannada": ("ಮುಂದಿನ ಸಭೆಯು ಮುಂದಿನ ವಾರ ಬೆಂಗಳೂರಿನಲ್ಲಿ ನಡೆಯಲಿದೆ ಎಂದು ಮಂಡಳಿ ನಿರ್ಧರಿಸಿದೆ. ಎಲ್ಲಾ ಸದಸ್ಯರು ಸಮಯಕ್ಕೆ ಸರಿಯಾಗಿ ಹಾಜರಾಗಬೇಕು."),
    "malayalam": ("അടുത്ത യോഗം അടുത്ത ആഴ്ച കൊച്ചിയിൽ നടക്കുമെന്ന് സമിതി തീരുമാനിച്ചു. എല്ലാ അംഗങ്ങളും കൃത്യസമയത്ത് എത്തണം."),
    "punjabi": ("ਕੌਂਸਲ ਨੇ ਫੈਸਲਾ ਕੀਤਾ ਹੈ ਕਿ ਅਗਲੀ ਮੀਟਿੰਗ ਅਗਲੇ ਹਫ਼ਤੇ ਅੰਮ੍ਰਿਤਸਰ ਵਿੱਚ ਹੋਵੇਗੀ। ਸਾਰੇ ਮੈਂਬਰਾਂ ਨੂੰ ਸਮੇਂ ਸਿਰ ਹਾਜ਼ਰ ਹੋਣ ਦੀ ਬੇਨਤੀ ਹੈ।"),
    "vietnamese": (
        "Hội đồng đã quyết định rằng cuộc họp tiếp theo sẽ được tổ chức vào tuần tới tại Hà Nội. Tất cả các "
        "thành viên được mời đến đúng giờ và mang theo tài liệu cần thiết."
    ),
    "czech": (
        "Rada rozhodla, že příští zasedání se uskuteční příští týden v Praze. Všichni členové jsou žádáni, "
        "aby přišli včas a přinesli si potřebné dokumenty."
    ),
    "polish": (
        "Rada postanowiła, że następne posiedzenie odbędzie się w przyszłym tygodniu w Łodzi. Wszyscy "
        "członkowie proszeni są o punktualne przybycie i zabranie dokumentów."
    ),
    "turkish": (
        "Kurul bir sonraki toplantının gelecek hafta İstanbul'da yapılmasına karar verdi. Tüm üyelerin "
        "zamanında gelmesi ve gerekli belgeleri getirmesi rica olunur, ığdır ve çalışma."
    ),
    "english": (
        "The council has decided that the next meeting will be held in the following week in London. All "
        "members are asked to come on time and to bring the papers."
    ),
    "icelandic": (
        "Ráðið ákvað að næsti fundur verði haldinn í næstu viku í Reykjavík. Allir félagsmenn eru beðnir um "
        "að mæta á réttum tíma og hafa með sér nauðsynleg skjöl. Það er þörf á því."
    ),
    "german": (
        "Der Rat hat beschlossen, dass die nächste Sitzung in der kommenden Woche in München stattfindet. "
        "Alle Mitglieder werden gebeten, pünktlich zu erscheinen."
    ),
    "hungarian": (
        "A tanács úgy döntött, hogy a következő ülést a jövő héten Győrben tartják. Minden tagot kérünk, "
        "hogy időben érkezzen, és hozza magával a szükséges iratokat."
    ),
    "romanian": (
        "Consiliul a hotărât că următoarea ședință va avea loc săptămâna viitoare la Iași. Toți membrii sunt "
        "rugați să vină la timp și să aducă documentele necesare pentru lucrările ședinței."
    ),
    "french": (
        "Le conseil a décidé que la prochaine réunion aura lieu la semaine prochaine à Orléans. Tous les "
        "membres sont priés d'être à l'heure et d'apporter leurs dossiers."
    ),
    "lithuanian": (
        "Taryba nusprendė, kad kitas posėdis vyks kitą savaitę Vilniuje. Visi nariai kviečiami atvykti laiku "
        "ir atsinešti reikalingus dokumentus, kuriuos pasiūlė žmonės."
    ),
    "welsh": (
        "Penderfynodd y cyngor y bydd y cyfarfod nesaf yn cael ei gynnal yr wythnos nesaf yng Nghaerdydd. "
        "Gofynnir i bob aelod ddod yn brydlon gyda'u dogfennau."
    ),
    "yoruba": (
        "Ìgbìmọ̀ náà ti pinnu pé ìpàdé tó ń bọ̀ yóò wáyé ní ọ̀sẹ̀ tó ń bọ̀ ní Ìbàdàn. Gbogbo ọmọ ẹgbẹ́ ni a "
        "pè láti wá ní àsìkò kí wọ́n sì mú ìwé wọn wá."
    ),
}

KRUTI_DEV = (
    "egkjk\"Vª 'kklu lkekU; iz'kklu foHkkx 'kklu fu.kZ; Øekad% lafdZ.k 2022@iz-Ø-12@dk;kZ&5 ea=ky;] eqacbZ & 400032 "
    "fnukad% 22 Qsczqokjh] 2022 izLrkouk jkT;krhy loZ ftYg;kae/;s gh ;kstuk jkcfo.;kr ;sr vkgs] R;kuqlkj [kkyhy izek.ks "
    "vkns'k ns.;kr ;sr vkgsr- egkjk\"Vª izknsf'kd o uxj jpuk vf/kfu;e] 1966 P;k dye 37 uqlkj jkT; 'kklukus vlk fu.kZ; "
    "?ksryk vkgs dh] lnj vkns'k egkjk\"Vª 'kklukP;k ladsrLFkGkoj miyC/k dj.;kr vkyk vkgs- egkjk\"Vªkps jkT;iky ;kaP;k"
)
GLYPH_NUMBERS = "".join(chr((ord(c) - 97 + 3) % 26 + 97) if c.isalpha() else c for c in GOOD["english"].lower())
OCR_JUNK = "fH~ l,i ;|1i q^f' .~ rrrcn\\ q^ ~l 'i< {fi ~^ |I~ll lll1i t~: ~n ifi~ ;ft;; n^rr ~l~ '{jcit ~; i,i ft~ c<~l I~ |~|"
BROKEN_DEVANAGARI = "िक का्‍ाे िवषय शाासन निणाय ाम म्ाहाराष््र ाािण ििनांक शाासिनक ्िवभाग"
BAD = {
    "Cyrillic, cp1251 as Latin-1": GOOD["russian"].encode("cp1251").decode("latin-1"),
    "Cyrillic, KOI8 as Latin-1": GOOD["russian"].encode("koi8-r").decode("latin-1"),
    "Greek, cp1253 as Latin-1": GOOD["greek"].encode("cp1253", "ignore").decode("latin-1"),
    "UTF-8 as Latin-1": GOOD["russian"].encode().decode("latin-1"),
    "German UTF-8 as cp1252": GOOD["german"].encode().decode("cp1252"),
    "Hindi UTF-8 as Latin-1": GOOD["hindi"].encode().decode("latin-1"),
    "Chinese GBK as Latin-1": GOOD["chinese"].encode("gbk").decode("latin-1"),
    "Japanese Shift-JIS as Latin-1": GOOD["japanese"].encode("shift-jis").decode("latin-1"),
    "legacy Devanagari font": KRUTI_DEV,
    "legacy Devanagari font beside English": KRUTI_DEV + GOOD["english"],
    "glyph numbers for letters": GLYPH_NUMBERS,
    "private use": "\ue001\ue002\ue003 \uf020\uf021" * 20,
    "replacement characters": "The � council � has � de�ided that the n�xt meeting will � be � held",
    "control characters": "\x01\x02\x03\x04 \x05\x06\x07" * 10,
    "halves of surrogate pairs": "\ud800\udc00 " * 60,
    "OCR that gave up": OCR_JUNK,
    "Devanagari in an impossible order": BROKEN_DEVANAGARI,
}


@pytest.mark.parametrize("image_share", [0.0, 1.0], ids=["born digital", "over a scan"])
@pytest.mark.parametrize("name", GOOD)
def test_a_good_layer_is_trusted_in_every_language(name: str, image_share: float) -> None:
    verdict = judge(GOOD[name] * 2, image_share=image_share, text_share=0.8)
    assert verdict.trusted, verdict.reason


@pytest.mark.parametrize("image_share", [0.0, 1.0], ids=["born digital", "over a scan"])
@pytest.mark.parametrize("name", BAD)
def test_a_layer_that_lies_is_not_trusted(name: str, image_share: float) -> None:
    verdict = judge(BAD[name] * 2, image_share=image_share, text_share=0.8)
    assert verdict.kind == "bad"
    assert verdict.reason.endswith(".")


@pytest.mark.parametrize("word", ["अॅप", "अ‍ॅड", "अॉफिस", "र‍्य", "तऱ्हा", "क्‌ष", "कॉलेज", "ऑनलाइन", "हिंदी", "दुःख", "गाँव", "फ़ोन"])
def test_rare_but_legal_devanagari_raises_no_doubt(word: str) -> None:
    assert judge(f"{word} " * 10, image_share=0.0).trusted


@pytest.mark.parametrize("word", ["िक", "ाम", "कािि", "क्ि", "आा", "अि", "ंकर", "क््ष"])
def test_impossible_devanagari_is(word: str) -> None:
    assert judge(f"{word} " * 10, image_share=0.0).kind == "bad"


def test_old_ocr_with_a_wrong_sign_in_every_twentieth_word_is_not_trusted_over_a_scan() -> None:
    words = [*["promoters", "may", "withdraw", "their", "project", "within", "three", "weeks", "of", "the"] * 2] * 8
    for place in range(0, len(words), 20):
        words[place] = "mod}tication"
    assert judge(" ".join(words), image_share=1.0, text_share=0.8).kind == "bad"
    assert judge(" ".join(words), image_share=0.0).trusted


def test_one_odd_name_on_a_short_scanned_page_is_forgiven() -> None:
    text = "The letters of MahaRERA were answered within three weeks of their arrival, and all of the projects went on."
    assert judge(text, image_share=1.0, text_share=0.8).trusted


def test_a_stamp_over_a_scan_is_not_the_page_s_text() -> None:
    assert judge("Received 12 March 2022, page 7 of 9", image_share=0.9).kind == "none"
    assert judge("Received 12 March 2022, page 7 of 9", image_share=0.1).trusted


def test_a_strip_of_text_over_a_scan_is_not_the_page_s_text() -> None:
    assert judge(GOOD["english"] * 2, image_share=0.9, text_share=0.05).kind == "none"


@pytest.mark.parametrize("text", ["", " \n\t", "\u00a0\u2003"])
def test_no_text_is_nothing_to_trust(text: str) -> None:
    assert judge(text, image_share=0.0).kind == "none"


def test_junk_is_forgiven_more_where_the_text_is_not_a_guess_at_pixels() -> None:
    symbols = GOOD["english"] + "∀x∈S a^b x~y {q} f|g p=>q "
    assert judge(symbols, image_share=0.0).trusted
    assert judge(symbols, image_share=1.0).kind == "bad"


@pytest.mark.parametrize(
    "text",
    [
        "1,234.00 55 % 2022-23 Rs. 400/- " * 20,
        "A-1 B-2 C-3 No. 37(1) Sec. 154 " * 10,
        "https://example.org/a?b=c contact@example.org www.example.org " * 6,
        "MHADA MMRDA PMRDA SRA CIDCO TOD " * 10,
    ],
)
def test_numbers_addresses_and_abbreviations_are_text(text: str) -> None:
    assert judge(text, image_share=0.0).trusted


def test_words_of_two_scripts_are_a_font_that_draws_other_letters() -> None:
    text = "تعAل يA حdmان تعAل هAn تdhأ قylلا اهdأ تtnحي به نAحTy الأمry يCrk وهw يSع CأFه بyن يdيه"
    assert judge(text, image_share=0.0).kind == "bad"


def test_foreign_words_within_a_line_are_not() -> None:
    text = "استعمال حزمة exam في كتابة مواضيع الامتحانات والفروض بالعربية LaTeX 2018 مع Windows 10 و Linux في المدرسة الثانوية"
    assert judge(text, image_share=0.0).trusted


def test_cyrillic_bytes_as_korean_syllables_are_bad() -> None:
    text = "킘킷킼. 킛킸톁톂 № 킴킾킺톃킼. 킟킾킴킿. 킔킰톂킰 킠킰킷톀킰킱. 킟톀킾킲. 킢.킺킾킽톂톀."
    assert judge(text, image_share=0.0).kind == "bad"
    assert judge("대한민국의 수도는 서울이며 많은 사람들이 살고 있는 도시입니다. 킥킥 웃는다.", image_share=0.0).trusted


TEX_INDEX = (
    r"\@tempcnta, 12, 45 \addcontentsline, 7 \baselineskip, 33, 91 \centering, 4 \DeclareRobustCommand, 18 \endgraf, 22 "
    r"\flushbottom, 5 \hsize, 61 \ignorespaces, 70 \leftmargin, 14 \newcounter, 3 \parindent, 8 \raggedright, 44 \setlength, 2 "
)
LISTING = (
    "const_iterator=begin(values); self.page_count+=1 if(is_open(file)){ read_all(&buffer,size); } std::vector<item>&items "
    "text->append(line+separator); #include<string.h> print(total/count) grid[row][column]=compute(left,right) "
)


@pytest.mark.parametrize("text", [TEX_INDEX * 2, LISTING * 2])
def test_macros_and_code_are_text(text: str) -> None:
    assert judge(text, image_share=0.0).trusted


@pytest.mark.parametrize("text", [TEX_INDEX + KRUTI_DEV, GOOD["english"] * 3 + KRUTI_DEV, LISTING + GLYPH_NUMBERS * 2])
def test_code_does_not_excuse_a_font_that_draws_other_letters(text: str) -> None:
    assert judge(text, image_share=0.0).kind == "bad"


def test_arabic_words_with_a_letter_in_place_of_lengthening_strokes_are_not_trusted() -> None:
    text = "لصوووة فوا مجوخحت العموول قويوووة ومسووولدامة وووخماة فوووا لخيوووخت وووو ياوووى محوددات األمون تلوووير الماوخر"
    assert judge(text, image_share=0.0).kind == "bad"
    assert judge(GOOD["arabic"] * 3 + " ههههه", image_share=0.0).trusted


@pytest.mark.parametrize("text", ["Îãëàâëåíèå", "´¿¢Ã°£¢ ¿ðº˜ ´’«¢¬", "ǡǼǱǺ ǓǯǯǱǿǿ", "⁐⁑⁒⁓⁔⁕⁖⁗⁛⁝ ⁀⁂⁃⁄⁅⁇⁉⁊⁋⁌⁍⁎"])
def test_a_few_words_in_the_wrong_encoding_are_bad(text: str) -> None:
    assert judge(text, image_share=0.0).kind == "bad"


@pytest.mark.parametrize(
    "text",
    [
        "Été à Évry",
        "Öl",
        "£ 12.50 £ 7.00",
        "··········",
        "½ ¼ ¾",
        "« Là-bas »",
        "Größe: 12 × 4½ µm",
        "………………",
        "“‘’”",
        "ðöéáþæíúý",
    ],
)
def test_a_few_words_with_accents_and_signs_are_trusted(text: str) -> None:
    assert judge(text, image_share=0.0).trusted


def test_arabic_words_with_signs_of_an_ending_inside_are_not_trusted() -> None:
    # The glyphs of yeh, lam and meem have the meanings of such signs and of noon.
    odd = "انًاسح انسٍٍُائً انذي ٌهغً انحزكت انًٍكاٍَكٍت وعتًذ عهى تغٍٍز اتجاه حزيت ثى تغٍٍز يىقعها عهى انًصعذ"
    assert judge(odd, image_share=0.0).kind == "bad"
    assert judge(GOOD["arabic"] + " شكرًا جزيلًا، كتابٌ جديدٌ في بيتٍ قديمٍ، هدًى ورحمةً", image_share=0.0).trusted
    voweled = "وَكَانَتِ ٱلأَْرْضُ كُلُّهَا لِسَانًا وَاحِدٌوَلِسَانٌوَاحِدٌلِجَمِيعِهِمْ وَلُغَةٍوَاحِدَةٍ وَحَدَثَ فِي ٱرْتِحَالِهِمْ شَرْقًا أَنَّهُمْ وَجَدُوا بُقْعَةً فِي أَرْضٍكُلُّهَا"
    assert judge(voweled, image_share=0.0).trusted


def test_urdu_words_that_have_lost_their_spaces_and_their_order_are_not_trusted() -> None:
    text = "پاکستان ایک خوبصورت ملک ہے جس میں بہت سے دریا اور پہاڑ ہیں۔ یہاں کے لوگ مہمان نواز ہیں اور زبانیں بولتے ہیں"
    assert judge(text, image_share=0.0).trusted
    jumbled = "پاکستان ایکخوبصورتملک ےہ جس میںبہتسےدریااورپہاڑہیں۔یہاںکےلوگ مہماننوازہیں اور خمتلفزبانیںبوےلت ہیں۔کراچی سبسےبڑا"
    assert judge(jumbled, image_share=0.0).kind == "bad"


def test_measures_and_formulas_on_a_page_with_few_words_are_text() -> None:
    text = (
        "The area is A = πr², and for n ≥ 2 we have xn+1 = xn + 1. Then 2¹⁰ = 1024, 3 × 10⁸ m/s, 6.02·10²³, 5′ 7″, 45°, ½ and ⅔,"
    )
    text += " 1.5‰, €1.234,56, £99, ¥5,000, 20 %, ±0.3 m³/s. Na+, SO4²−, ¹⁴C, H2O, liters³, report,²³ f(x) = a0 + a1x + a2x²"
    assert judge(text, image_share=0.0).trusted
