"""Maps LaTeX commands to Typst. A test typesets every one of them."""

from __future__ import annotations

# Maps a command to the character itself, which Typst spaces correctly, or to Typst's name if the character has a meaning in
# Typst.
_PAIRS = """
alpha=α beta=β gamma=γ delta=δ epsilon=ϵ varepsilon=ε zeta=ζ eta=η theta=θ vartheta=ϑ iota=ι kappa=κ lambda=λ mu=μ nu=ν xi=ξ
pi=π varpi=ϖ rho=ρ varrho=ϱ sigma=σ varsigma=ς tau=τ upsilon=υ phi=ϕ varphi=φ chi=χ psi=ψ omega=ω Gamma=Γ Delta=Δ Theta=Θ
Lambda=Λ Xi=Ξ Pi=Π Sigma=Σ Upsilon=Υ Phi=Φ Psi=Ψ Omega=Ω sum=∑ prod=∏ coprod=∐ int=∫ iint=∬ iiint=∭ oint=∮ bigcup=⋃ bigcap=⋂
bigoplus=⨁ bigotimes=⨂ pm=± mp=∓ times=× div=÷ cdot=⋅ circ=∘ bullet=∙ ast=∗ star=⋆ oplus=⊕ ominus=⊖ otimes=⊗ odot=⊙ cup=∪
cap=∩ setminus=∖ wedge=∧ land=∧ vee=∨ lor=∨ neg=¬ lnot=¬ leq=≤ le=≤ geq=≥ ge=≥ neq=≠ ne=≠ ll=≪ gg=≫ approx=≈ equiv=≡ sim=∼
simeq=≃ cong=≅ propto=∝ doteq=≐ prec=≺ succ=≻ subset=⊂ supset=⊃ subseteq=⊆ supseteq=⊇ in=∈ notin=∉ ni=∋ perp=⟂ parallel=∥
mid=∣ vdash=⊢ models=⊨ forall=∀ exists=∃ nexists=∄ emptyset=∅ varnothing=∅ infty=∞ partial=∂ nabla=∇ therefore=∴ because=∵
angle=∠ triangle=△ square=□ Box=□ to=→ rightarrow=→ leftarrow=← gets=← leftrightarrow=↔ uparrow=↑ downarrow=↓ Rightarrow=⇒
implies=⟹ Leftarrow=⇐ Leftrightarrow=⇔ iff=⟺ longrightarrow=⟶ longleftarrow=⟵ mapsto=↦ hookrightarrow=↪ rightleftharpoons=⇌
ldots=… dots=… dotsc=… cdots=⋯ dotsb=⋯ vdots=⋮ ddots=⋱ ell=ℓ hbar=ℏ Re=ℜ Im=ℑ aleph=ℵ wp=℘ prime=′ degree=° dagger=† ddagger=‡
langle=chevron.l rangle=chevron.r lfloor=floor.l rfloor=floor.r lceil=ceil.l rceil=ceil.r leqslant=⩽ geqslant=⩾ lesssim=≲
gtrsim=≳ checkmark=✓ surd=√
"""
SYMBOLS = {
    **dict(pair.split("=") for pair in _PAIRS.split()),
    "surd": '"√"',
    "degree": '"°"',
    "checkmark": '"✓"',
    "dagger": '"†"',
    "ddagger": '"‡"',
    "{": "brace.l",
    "}": "brace.r",
    "lbrace": "brace.l",
    "rbrace": "brace.r",
    "lbrack": "bracket.l",
    "rbrack": "bracket.r",
    "|": "∥",
    "Vert": "∥",
    "vert": "|",
    "lvert": "|",
    "rvert": "|",
    "lVert": "∥",
    "rVert": "∥",
    "%": '"%"',
    "$": '"$"',
    "#": '"#"',
    "&": '"&"',
    "_": '"_"',
    "colon": "colon",
    "bmod": "mod",
    "mod": "mod",
}
_FUNCTIONS = """
arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim liminf limsup ln log max min Pr sec sin sinh
sup tan tanh
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
SPACES = {
    ",": "thin", ":": "med", ">": "med", ";": "thick", " ": "thin", "quad": "quad", "qquad": "wide", "enspace": "thick",
    "thinspace": "thin",
}  # fmt: skip
IGNORED = frozenset(
    {
        "!",
        "displaystyle",
        "textstyle",
        "scriptstyle",
        "limits",
        "nolimits",
        "nonumber",
        "notag",
        "hline",
        "rm",
        "bf",
        "it",
        "mathstrut",
    }
)
ACCENTS = {
    "hat": "hat", "widehat": "hat", "bar": "overline", "overline": "overline", "underline": "underline", "vec": "arrow",
    "overrightarrow": "arrow", "tilde": "tilde", "widetilde": "tilde", "dot": "dot", "ddot": "dot.double", "acute": "acute",
    "grave": "grave", "breve": "breve", "check": "caron", "boxed": "plain",
}  # fmt: skip
ALPHABETS = {
    "mathbf": "bold", "boldsymbol": "bold", "bm": "bold", "mathit": "italic", "mathbb": "bb", "mathcal": "cal", "mathscr": "cal",
    "mathfrak": "frak", "mathsf": "sans", "mathtt": "upright",
}  # fmt: skip
DELIMITERS = {
    "(": "paren.l", ")": "paren.r", "[": "bracket.l", "]": "bracket.r", "\\{": "brace.l", "\\}": "brace.r", "|": "|", "\\|": "∥",
    "\\lvert": "|", "\\rvert": "|", "\\lVert": "∥", "\\rVert": "∥", "\\vert": "|", "\\Vert": "∥", "/": "slash", ".": "",
    "\\langle": "chevron.l", "\\rangle": "chevron.r", "<": "chevron.l", ">": "chevron.r",
    "\\lfloor": "floor.l", "\\rfloor": "floor.r", "\\lceil": "ceil.l", "\\rceil": "ceil.r",
    "\\lbrace": "brace.l", "\\rbrace": "brace.r",
}  # fmt: skip
# Matrices are listed by their brackets, other environments by their kind.
ENVIRONMENTS = {
    "matrix": "#none", "smallmatrix": "#none", "array": "#none", "pmatrix": '"("', "bmatrix": '"["', "vmatrix": '"|"',
    "Vmatrix": '"‖"', "Bmatrix": '"{"', "cases": "cases", "aligned": "aligned", "align": "aligned", "alignat": "aligned",
    "split": "aligned", "gathered": "aligned", "gather": "aligned", "equation": "aligned", "eqnarray": "aligned",
}  # fmt: skip
