"""What the samples say: invented for this project, free to copy. This module contains only data. A soft hyphen marks where a
word may be broken."""

from __future__ import annotations

from layout import SOFT_HYPHEN, Block

_P, _B = "paragraph", "bullet"

LETTER = [
    [
        Block("title", "A Reading Garden for Willow Lane"),
        Block(_P, "Friday, 4 April 2025"),
        Block(_P, "Dear neighbours,"),
        Block(
            _P,
            "Behind the old library lies a yard that nobody has used for years. The wall keeps the wind out, the pear tree "
            "still bears fruit, and at four in the afternoon the sun reaches every corner. We would like to turn it into a "
            "garden where anyone may sit down with a book.",
        ),
        Block(
            _P,
            "The work is small and the pleasure lasts long. Last autumn twelve of us cleared the ivy from the path. Under it we "
            "found red bricks, a stone bench and a brass sundial that is only nine minutes slow.",
        ),
        Block("heading", "What we need"),
        Block(_B, "six wooden chairs, old ones are welcome"),
        Block(_B, "two barrels for rain water, about 200 litres each"),
        Block(_B, "seeds of thyme, mint, marigold and sweet pea"),
        Block(_B, "a shelf with a roof, deep enough for forty books"),
        Block(_B, "one patient person who can mend the garden gate"),
        Block(
            _P,
            "Nobody has to give money. If you can spare an hour, come on a Saturday morning; tools, tea and plum cake are "
            "waiting beside the back door.",
        ),
    ],
    [
        Block("heading", "How the days could look"),
        Block(
            _P,
            "In the mornings the garden belongs to the school. The second class has promised to water the beds and to keep a "
            "diary of the weather, with drawings of every cloud that looks like an animal.",
        ),
        Block(
            _P,
            "In the afternoons it is open to all. On the first Sunday of each month somebody reads aloud: ghost stories in "
            "November, travel stories in June, and in spring whatever the children choose.",
        ),
        Block(
            _P,
            "We shall meet on 26 April at 10:30 in the reading room, upstairs on the left. Please bring your questions, your "
            "doubts and, if there is one left over, a chair.",
        ),
        Block(_P, "With warm regards,"),
        Block(_P, "Marta Lindqvist and Tomas Abel"),
        Block(_P, "Friends of the Willow Lane Library"),
    ],
]

SCAN = [
    [
        Block("title", "The Lighthouse Oven"),
        Block(
            _P,
            "When the lamp of the northern lighthouse became electric, the keeper had a warm room and nothing to do in it. So he "
            "built an oven. He carried the bricks up from the harbour, eleven at a time, and by the first frost the tower "
            "smelled of rye bread from the cellar to the gallery.",
        ),
        Block(
            _P,
            "The fishermen noticed it before anyone else. On clear nights they steered by the light, and in fog they steered by "
            "the smell. Nobody was ever lost on a baking day, and soon every day was a baking day.",
        ),
        Block("heading", "The recipe on the wall"),
        Block(
            _P,
            "Beside the oven hangs a sheet of paper, brown at the edges. It asks for 900 grams of flour, 20 grams of salt, a cup "
            "of yesterday's dough and sea water boiled twice. Under it somebody has written: wait longer than you think.",
        ),
        Block(
            _P,
            "That is the whole secret. The dough rests while the tide comes in and goes into the oven when the tide turns, which "
            "is a little later every evening, as any sailor can tell you.",
        ),
    ],
    [
        Block("heading", "A loaf for the storm"),
        Block(
            _P,
            "In the winter of the great storm the island was cut off for sixteen days. The keeper baked for forty families. "
            "Children came with sledges, wrapped the loaves in wool and brought them home through the snow, still warm.",
        ),
        Block(
            _P,
            "On the last evening the wind dropped and the harbour lay quite still. Every window had a candle in it. The keeper "
            "looked down from his gallery and counted them twice, because he could not believe that all were there.",
        ),
        Block(
            _P,
            "The oven is cold now and the tower is a museum. But once a year, on the second Saturday of October, the bakers of "
            "the island light it again, and whoever comes by boat gets a slice with butter.",
        ),
    ],
]

_ARTICLE = """\
Every town has a clock that is wrong, and most towns are ashamed of it. Ours is proud. The clock above the baker's shop runs \
seven min~utes late, and it has done so since the day on which its maker, a quiet woman named Ottilie Brand, climbed down her \
lad~der and said that she was satis~fied.|\
People thought that she had made a mis~take. The mayor sent for a spe~cial~ist from the city, who opened the case, listened \
for an after~noon and closed it again. Noth~ing was bro~ken, he reported. The wheels were per~fect. The clock was simply \
kind.|\
It took a while until the town under~stood. The train leaves at eight by the sta~tion clock, but whoever runs across the \
square and looks up sees that there are still a few min~utes left, and runs on with new hope. In all these years hardly \
any~body has missed the morn~ing train.|\
School begins when the kind clock strikes. So does the council, and so do wed~dings. The bak~er says that his rolls are bet~ter \
for it, because dough, like peo~ple, does not care to be hur~ried.|\
Last sum~mer the tower was painted and the clock had to be stopped for three weeks. The whole town was out of breath. When \
the hands moved again, seven min~utes late, some~one in the crowd began to clap, and then every~body did.|\
Ottilie Brand's note~books are kept in the li~brary. On the last page stands a sin~gle line: a clock should know what time it \
is, and also what time we need."""

TWO_COLUMNS_TITLE = [Block("title", "The Kind Clock of Market Square"), Block(_P, "A town that always has a few minutes left")]
TWO_COLUMNS = [Block(_P, part.replace("~", SOFT_HYPHEN)) for part in _ARTICLE.split("|")]

TABLE_BEFORE = [
    Block("title", "Apple Harvest of the Hill Orchard"),
    Block(
        _P,
        "The table lists what was picked between the first of September and the end of October. Weights are in kilograms. Fruit "
        "that fell before the picking went into the cider press and is not counted here.",
    ),
]
TABLE_ROWS = [
    ("Variety", "Trees", "September", "October", "Total"),
    ("Golden Bell", "14", "310", "185", "495"),
    ("Red Lantern", "9", "0", "402", "402"),
    ("Morning Russet", "22", "540", "615", "1155"),
    ("Pilgrim", "6", "128", "0", "128"),
    ("Winter Honey", "17", "0", "733", "733"),
    ("Sum", "68", "978", "1935", "2913"),
]
TABLE_AFTER = [
    Block(
        _P,
        "Morning Russet was again the best of all. Winter Honey ripened late but kept well; in the cool cellar under the barn it "
        "will stay crisp until March.",
    ),
    Block(_P, "The wasps took an interest in Pilgrim. Next year its nets will go up a fortnight earlier."),
]

ROTATED = [
    [
        Block("heading", "Turned to the right"),
        Block(
            _P,
            "This page went into the scanner sideways. A reader would turn the head to the right; a program has to notice first "
            "that the lines run from top to bottom.",
        ),
        Block(_P, "The heron stands in the river and waits. It has all the time that the fish do not have."),
    ],
    [
        Block("heading", "Upside down"),
        Block(
            _P,
            "This page lay on the glass the wrong way round. Its lines are level, so they look right from a distance, yet each "
            "letter stands on its head.",
        ),
        Block(_P, "Bats think the same of us, and they have slept well with that opinion for a long time."),
    ],
    [
        Block("heading", "Turned to the left"),
        Block(
            _P,
            "This page lies on its other side. Whoever put it there was in a hurry, or carried a cup of coffee in the hand that "
            "was needed for the paper.",
        ),
        Block(_P, "A snail crosses the garden path in nine minutes. It has never once been late."),
    ],
    [
        Block("heading", "Turned by the file"),
        Block(
            _P,
            "The scanner took this page sideways too, but it knew that and left a note in the file: turn by ninety degrees "
            "before showing. With the note the page stands upright.",
        ),
        Block(_P, "The best notes are short, and the second best are at least where one looks for them."),
    ],
]

DEVANAGARI = [
    [
        Block("title", "पहाड़ी गाँव का पुस्तकालय"),
        Block(
            _P,
            "हमारे छोटे से गाँव में एक पुराना पुस्तकालय है। उसकी खिड़कियाँ पूर्व की ओर खुलती हैं, इसलिए सुबह की पहली किरण सीधे किताबों "
            "पर पड़ती है। बच्चे स्कूल जाने से पहले यहाँ आते हैं और अपनी पसंद की कहानियाँ पढ़ते हैं।",
        ),
        Block(
            _P,
            "पुस्तकालय की देखभाल श्रीमती विद्या शर्मा करती हैं। उन्हें हर पुस्तक का स्थान याद है। वे कहती हैं कि अच्छी पुस्तक एक सच्चे मित्र "
            "की तरह होती है, जो कठिन समय में भी साथ नहीं छोड़ती।",
        ),
        Block("heading", "इस वर्ष के कार्यक्रम"),
        Block(_P, "१. प्रत्येक रविवार को कविता पाठ, शाम ५ बजे"),
        Block(_P, "२. विज्ञान की प्रदर्शनी, १२ अक्टूबर से"),
        Block(_P, "३. वृक्षारोपण और पक्षियों का अध्ययन"),
        Block(
            _P,
            "आप सबका हार्दिक स्वागत है। यदि आपके पास कोई पुरानी पुस्तक हो, तो कृपया उसे हमारे साथ बाँटिए। ज्ञान बाँटने से बढ़ता है, घटता नहीं।",
        ),
    ],
    [
        Block("title", "समुद्रकाठची शाळा"),
        Block(
            _P,
            "आमची शाळा समुद्राच्या काठावर आहे. वर्गात बसले की लाटांचा आवाज ऐकू येतो आणि वाऱ्यावर डोलणारी नारळाची झाडे दिसतात. "
            "पावसाळ्यात तर आकाश आणि पाणी एकच होऊन जाते.",
        ),
        Block(
            _P,
            "दर शुक्रवारी आम्ही किनाऱ्यावर फिरायला जातो. मुले शंख गोळा करतात, त्यांची चित्रे काढतात आणि प्रत्येक चित्राखाली एक छोटी "
            "गोष्ट लिहितात. शिक्षिका सुमित्रा कुलकर्णी त्या गोष्टी वाचून दाखवतात.",
        ),
        Block(
            _P,
            "मागच्या वर्षी आम्ही २४ रोपे लावली. त्यांपैकी एकही सुकले नाही. आता तिथे चिमण्या, पोपट आणि खारी राहतात. संध्याकाळी सूर्य मावळताना "
            "तो सगळा परिसर सोनेरी होतो.",
        ),
    ],
]

BROKEN_TEXT_LAYER = [
    Block("title", "How to Repair a Kite"),
    Block(
        _P,
        "Lay the kite on a table with its face down and look at the spars. If one is cracked, wind thin thread around it, close "
        "and tight, for the width of two fingers, and let a drop of glue run along the winding.",
    ),
    Block(
        _P,
        "A tear in the paper is mended from behind. Cut a patch with round corners, because square corners lift first, and "
        "smooth it down from the middle to the edge. Wait until it is dry before you are curious.",
    ),
    Block(
        _P,
        "The tail should be six times as long as the kite. If the kite spins, make it longer; if the kite sulks and will not "
        "rise, take one bow off. Write down what you changed, for the wind will not remember.",
    ),
    Block(_P, "Then go to the top of the hill, hold the line loosely, and let the sky do its part of the work."),
]
# Text that a converter without the right font produces: keys of a typewriter font for another script, UTF-8 read as Windows-1252.
LEGACY_FONT_JUNK = [
    "irax Bhd djus dh fof/k ;gk¡ fy[kh gqbZ gS] Ñi;k /;ku ls i<+saA",
    "dkxt+ dks est+ ij j[kdj ns[ksa fd ydM+h VwVh rks ugÈ gSA",
    "VqdM+s ds dksus xksy dkfV, D;ksafd pkSdksj dksus tYnh m[kM+rs gSaA",
    "iw¡N irax ls N% xquk yEch gksuh pkfg,] ugÈ rks og ?kwesxhA",
]
MOJIBAKE_SOURCE = [
    "हवा को याद नहीं रहता कि कल क्या बदला था",
    "पहाड़ी पर जाकर डोर को ढीला छोड़ दीजिए",
]

TICKET = [
    Block("heading", "RIVER FERRY"),
    Block("row", "Oak Pier to Mill Island"),
    Block("row", "Saturday 14 June 2025"),
    Block("row", "Departure 09:40"),
    Block("row", "Deck B, seat 27"),
    Block("row", "1 adult, 1 bicycle"),
    Block("row", "Price 6.50"),
    Block("row", "Ticket number 004173"),
    Block("row", "Wave to the ducks."),
]

NOT_A_PDF = """\
<!DOCTYPE html>
<html>
<head><title>502 Bad Gateway</title></head>
<body>
<h1>502 Bad Gateway</h1>
<p>The server that keeps your document did not answer in time. Please try again in a few minutes.</p>
<hr><p>gateway.example</p>
</body>
</html>
"""
