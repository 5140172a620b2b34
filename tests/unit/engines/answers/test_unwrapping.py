from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayocr.engines.answers.unwrapping import is_refusal, unwrapped

PAGE = "# Title\n\nA paragraph.\n\n| a | b |\n|---|---|\n| 1 | 2 |"


@pytest.mark.parametrize(
    "text",
    [
        PAGE,
        f"```markdown\n{PAGE}\n```",
        f"```\n{PAGE}\n```\n",
        f"  ```md\n{PAGE}\n```",
        f"Here is the transcription of the page:\n\n```markdown\n{PAGE}\n```",
        f"Sure, here's the text of the page in Markdown:\n\n{PAGE}",
        f"Below is the faithful translation:\n{PAGE}",
        f"This is the transcription of the document.\n\n---\n\n{PAGE}",
        f"**Transcription:**\n\n{PAGE}\n\n---\n\nI hope this helps! Let me know if you have any questions.",
        f"{PAGE}\n\nLet me know if you would like the transcription in another format.",
        f"{PAGE}\n\n*Note: the text was transcribed as it appears on the page.*\n\nHope this helps.",
        f"{PAGE}\n\n[End of transcription]",
        f"The image contains the following text:\n\n{PAGE}",
        f"Gerne! Hier ist die Transkription der Seite:\n\n{PAGE}\n\nIch hoffe, das hilft!",
        f"Voici la transcription de la page :\n\n```markdown\n{PAGE}\n```\n\nJ'espère que cela vous aide.",
        f"Claro, aquí está la transcripción de la página:\n\n{PAGE}\n\nEspero que esto te ayude.",
        f"Aqui está a transcrição da página:\n\n{PAGE}",
        f"Ecco la trascrizione della pagina:\n\n{PAGE}",
        f"Hier is de transcriptie van de pagina:\n\n{PAGE}",
        f"Вот текст страницы:\n\n{PAGE}\n\nНадеюсь, это поможет!",
        f"यहाँ पृष्ठ का प्रतिलेखन है:\n\n{PAGE}",
        f"येथे पृष्ठाचे भाषांतर आहे:\n\n{PAGE}",
        f"إليك نص الصفحة:\n\n{PAGE}",
        f"以下是页面的文字内容：\n\n{PAGE}\n\n希望对您有帮助！",
        f"以下はページの文字起こしです：\n\n{PAGE}",
        f"다음은 페이지의 텍스트입니다:\n\n{PAGE}",
        f"---\nprimary_language: en\nis_rotation_valid: True\nis_table: False\n---\n{PAGE}",
    ],
)
def test_the_page_is_freed_from_what_the_model_put_around_it(text: str) -> None:
    assert unwrapped(text) == PAGE


def test_a_page_in_two_fences_is_one_page() -> None:
    assert unwrapped("```markdown\nfirst\n```\n\n```markdown\nsecond\n```") == "first\n\nsecond"


@pytest.mark.parametrize(
    "text",
    [
        "Intro\n\n```\ncode\n```\n\nOutro",
        "```python\nprint('the page is a listing')\n```",
        "Here is Edward Bear, coming downstairs now:\n\nbump, bump, bump",
        "The following is agreed between the parties:\n1. Rent",
        "```markdown\ncut off in the mid",
        "Here are the contents of this issue:\n\n- Letters",
        "This is the text of the treaty as it was signed in 1648:\n\nArticle 1",
        "Voici le texte de la loi :\n\nArticle 1",
        "Dear Sir,\n\nthe books have arrived.\n\nPlease let me know if you need any further help.",
        "A letter.\n\nNote: the office is closed on Monday.",
        "---\ntitle: a page that shows front matter\n---\nText",
        "I hope this helps",
        "Transcription: how cells copy DNA\n\nThe first step",
        "",
    ],
)
def test_what_belongs_to_the_page_stays(text: str) -> None:
    assert unwrapped(text) == text


@given(st.text())
def test_unwrapping_never_raises_and_does_it_once(text: str) -> None:
    assert isinstance(unwrapped(text), str)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't assist with that request.",
        "I cannot transcribe this page.",
        "Sorry, I am unable to process this image.",
        "I am not able to provide a transcription of copyrighted material.",
    ],
)
def test_a_refusal_in_words_is_a_refusal(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "I am sorry to inform you that your application was rejected.",
        "I cannot help it, said the Mouse. " + "It went on and on. " * 40,
        "Dear Sir, I'm sorry, but I can't assist you before Monday.",
        "",
    ],
)
def test_a_page_with_an_apology_in_its_text_is_a_page(text: str) -> None:
    assert not is_refusal(text)
