"""Removes what models say before and after a page, in 16 languages.

An introduction is the first line, names the task ("the transcription", "the text of this page") and ends with a colon or is
followed by a blank line. A closing remark fills the last paragraph. Sentences that a page may contain ("Note: …", "Please let me
know") are kept unless they refer to the task.
"""

from __future__ import annotations

import re

_MAX_LINE = 220  # in characters; a longer first line belongs to the page
# For each language, the beginning of such a line, and the words that it must contain. "The text of the treaty" is page text; "the
# text of the page" is not.
_INTRODUCTIONS = (
    (
        r"(?:(?:sure|certainly|absolutely|okay|ok|of course|yes)\b[^\n:]{0,30}[,.!]?\s+)?"
        r"(?:here(?:['’]s|\s+is|\s+are|\s+you\s+(?:go|are))|below\s+(?:is|are)|the\s+following\s+is)\b",
        r"(?:transcri|translat|markdown|extracted|\bocr\b"
        r"|(?:text|contents?)\b[^\n]{0,40}\b(?:page|image|document|pdf|scan|picture|file)\b)",
    ),
    (r"(?:this\s+is|i(?:['’]ve|\s+have))\b", r"(?:transcription|transcribed|markdown\s+(?:of|version)|\bocr\b)"),
    (r"the\s+(?:image|page|document|picture|scan)\b", r"(?:contains|shows|has)\b[^\n]{0,20}\b(?:following|transcribed)\s+text"),
    (
        r"(?:gern[e]?\b[^\n]{0,20}[.!,]\s+)?(?:hier\s+(?:ist|sind|folgt|die|der)|nachfolgend|im\s+folgenden)\b",
        r"(?:transkri|übersetzung|markdown|abschrift|(?:text|inhalt)\s+(?:der\s+seite|des\s+(?:bild|dokument))|seiteninhalt)",
    ),
    (
        r"(?:bien\s+sûr\s*[,.!]\s+)?(?:voici|ci-dessous)\b",
        r"(?:transcription|traduction|markdown|(?:texte|contenu)\s+(?:de\s+la\s+page|de\s+l['’]image|du\s+document|extrait))",
    ),
    (
        r"(?:claro\s*[,.!]\s+)?(?:aqu[ií]\s+(?:est[áa]|tienes?|va)|a\s+continuaci[óo]n|esta\s+es)\b",
        r"(?:transcripci|traducci|markdown|(?:texto|contenido)\s+(?:de\s+la\s+(?:p[áa]gina|imagen)|del\s+documento|extra[ií]do))",
    ),
    (
        r"(?:claro\s*[,.!]\s+)?(?:aqui\s+est[áa]|segue|abaixo\s+est[áa])\b",
        r"(?:transcri[çc]|tradu[çc]|markdown|(?:texto|conte[úu]do)\s+(?:da\s+(?:p[áa]gina|imagem)|do\s+documento|extra[ií]do))",
    ),
    (
        r"(?:certo\s*[,.!]\s+)?(?:ecco|di\s+seguito)\b",
        r"(?:trascrizion|traduzion|markdown|(?:testo|contenuto)\s+(?:della\s+pagina|dell['’]immagine|del\s+documento|estratto))",
    ),
    (r"(?:natuurlijk\s*[,.!]\s+)?(?:hier\s+is|hieronder)\b", r"(?:transcriptie|vertaling|markdown|tekst\s+van\s+de\s+pagina)"),
    (r"(?:oto|poniżej)\b", r"(?:transkrypc|tłumaczeni|markdown|tekst\s+(?:strony|ze\s+strony))"),
    (
        r"(?:конечно\s*[,.!]\s+)?(?:вот|ниже(?:\s+привед[её]н\w*)?)\b",
        r"(?:транскри|расшифровк|перевод|markdown|текст\s+(?:страницы|изображения|со\s+страницы))",
    ),
    (r"(?:işte|aşağıda)\b", r"(?:transkri|çevirisi|markdown|sayfanın\s+metni)"),
    (
        r"(?:यहाँ|यहां|नीचे|निम्नलिखित|यह\s+रहा)",
        r"(?:प्रतिलेख|लिप्यंतरण|ट्रांसक्रि|अनुवाद|मार्कडाउन|markdown|पृष्ठ\s+का\s+पाठ)",
    ),
    (r"(?:येथे|खाली|पुढीलप्रमाणे|हे\s+आहे)", r"(?:प्रतिलेख|लिप्यंतर|ट्रान्सक्रि|भाषांतर|अनुवाद|मार्कडाउन|markdown|पृष्ठाचा\s+मजकूर)"),
    (r"(?:إليك|فيما\s+يلي|هذا\s+هو)", r"(?:نسخ|تفريغ|ترجمة|نص\s+الصفحة|النص\s+الموجود|markdown)"),
    (
        r"(?:以下是|下面是|这是|這是)",
        r"(?:转录|轉錄|转写|轉寫|翻译|翻譯|识别|識別|(?:页面|頁面|图片|圖片)[^\n]{0,8}(?:文字|内容|內容)|markdown)",
    ),
    (r"(?:以下は|以下に|こちらが|こちらは)", r"(?:文字起こし|書き起こし|翻訳|転写|ページの(?:テキスト|内容)|markdown)"),
    (r"(?:다음은|아래는|여기)", r"(?:전사|번역|페이지의\s*(?:텍스트|내용)|markdown)"),
)
_INTRODUCTION = re.compile(
    "|".join(rf"(?:{begins}[^\n]{{0,120}}?{names}[^\n]{{0,120}})" for begins, names in _INTRODUCTIONS), re.IGNORECASE
)
_TITLE = re.compile(
    r"[#*_\s]*(?:transcription|transcribed\s+text|extracted\s+text|ocr\s+(?:text|output|result)|markdown|translation)\s*[*_]*:[*_\s]*",
    re.IGNORECASE,
)
# Front matter with which olmOCR and similar models begin an answer.
_MODEL_MATTER = re.compile(
    r"\A---\n(?=(?:.*\n)*?(?:primary_language|is_rotation_valid|rotation_correction):)(?:[a-z_]+:.*\n)+---\n"
)
_TASK = r"\b(?:transcri|translat|markdown|formatt|\bocr\b)"
_GOODBYE = re.compile(
    r"(?:"
    r"(?:i\s+)?hope\s+(?:this|that|it)\s+helps?\b"
    rf"|(?:please\s+)?(?:let\s+me\s+know\s+if|feel\s+free\s+to|if\s+you\s+(?:need|have|would\s+like|want))\b[^\n]{{0,200}}{_TASK}"
    r"|(?:this|that)\s+(?:is|concludes|completes)\b[^\n]{0,40}\b(?:transcription|transcribed)"
    r"|(?:please\s+)?note(?:\s+that|:)?\s[^\n]{0,80}\b(?:i\s+have|i['’]ve|was|were|is|are)\s+"
    r"(?:transcribed|translated|preserved\s+as|omitted\s+from\s+the\s+transcription)\b"
    r"|\[?end\s+of\s+(?:the\s+)?(?:page\s+)?(?:transcription|ocr|markdown)"
    r"|ich\s+hoffe,?\s+(?:das|dies)\s+hilft"
    r"|j['’]espère\s+que\s+cela\s+(?:vous\s+|t['’])?aide"
    r"|espero\s+que\s+(?:esto\s+|le\s+|te\s+|isso\s+|isto\s+)*(?:ayude|sea\s+útil|ajude)"
    r"|spero\s+che\s+(?:questo\s+)?(?:ti\s+|vi\s+)?(?:sia\s+utile|sia\s+d['’]aiuto|aiuti)"
    r"|надеюсь,?\s+это\s+поможет"
    r"|आशा\s+है\s+(?:कि\s+)?यह\s+(?:मदद|सहाय|उपयोगी)|मला\s+आशा\s+आहे"
    r"|希望(?:这|這)?(?:对您|对你|對您)?有(?:所)?(?:帮助|幫助)|お役に立て(?:れば|ば)幸い|آمل\s+أن\s+يكون\s+هذا\s+مفيد|도움이\s+되(?:었|기)"
    r")",
    re.IGNORECASE,
)
_DECORATION_BEFORE = re.compile(r"[\s*_>()\[\]#-]*")
_DECORATION_BEHIND = re.compile(r"[\s*_()\[\]]*")  # matches the reversed text, which takes linear time
_RULE = re.compile(r"\A(?:-{3,}|\*{3,}|_{3,})[ \t]*(?:\n|\Z)")
_RULE_LINE = re.compile(r"[ \t]*+(?:-{3,}|\*{3,}|_{3,})\s*")
_MAX_GOODBYE = 400
_MOST_SENTENCES = 8  # maximum number of remarks that are removed from one answer
_ENDS_WITH_COLON = (":", "：", "：**", ":**", ":*")
_ENDS_A_SENTENCE = (".", "!", "。", "！", "।", "।।")


def without_chatter(text: str) -> str:
    """Removes introductions and closing remarks. `text` has no white space at its ends."""
    text = _MODEL_MATTER.sub("", text, count=1).lstrip("\n")
    for _ in range(_MOST_SENTENCES):
        shorter = _without_goodbye(_without_introduction(text))
        if shorter == text:
            break
        text = shorter
    return text


def _without_introduction(text: str) -> str:
    line, _, rest = text.partition("\n")
    if len(line) > _MAX_LINE or not rest.strip() or not (said := _undecorated(line)):
        return text
    if _TITLE.fullmatch(line.strip()):
        return _after(rest)
    if _INTRODUCTION.match(said) is None:
        return text
    alone = not rest.partition("\n")[0].strip() or _RULE.match(rest)
    if line.rstrip().endswith(_ENDS_WITH_COLON) or said.endswith(":") or (alone and said.endswith(_ENDS_A_SENTENCE)):
        return _after(rest)
    return text


def _after(rest: str) -> str:
    """Returns the text after the introduction and a horizontal rule between the two."""
    return _RULE.sub("", rest.strip(), count=1).strip()


def _without_goodbye(text: str) -> str:
    head, _, last = text.rpartition("\n\n")
    if len(last) > _MAX_GOODBYE or not head.strip() or _GOODBYE.match(_undecorated(last)) is None:
        return text
    above, _, rule = head.rstrip().rpartition("\n")
    return above.rstrip() if _RULE_LINE.fullmatch(rule) else head.rstrip()


def _undecorated(text: str) -> str:
    begin, behind = _DECORATION_BEFORE.match(text), _DECORATION_BEHIND.match(text[::-1])
    assert begin is not None and behind is not None
    return text[begin.end() : max(len(text) - behind.end(), begin.end())]
