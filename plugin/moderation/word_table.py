#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes word_table.c: words that tell a language, and words that sell, by hash.

Written by us, for reviews in shops; folded as normalise folds (a run of one letter is one letter).
    python3 word_table.py > word_table.c
"""
from fold_table import letters_of

# The first six are those of the lexicons: word_table.h numbers them likewise.
LANGUAGES = {
    "en": "the and is are was were you your yours this that these those it its with have has had not but what when "
          "who how why they them their there here would could should will just very because about from which than "
          "then been being does did doesn't isn't wasn't can't won't i'm you're we're they're my me him his her she we "
          "our of to for on at be as if or an any some too also really never ever only after before while out into "
          "get got go going know think want people shit good great bad more most much all so do",
    "es": "el la los las un una unos unas y que de del en por para con sin sobre pero porque como cuando donde quien "
          "es son era eran fue fueron ser estar esta estan este esto ese eso esa muy mas menos tambien tampoco no si ya "
          "lo le les se me te nos mi mis tu tus su sus nuestro hay hace hacer tiene tengo tienen todo todos toda nada "
          "algo alguien nunca siempre bien mal mejor peor yo el ella ellos ustedes vosotros usted eres soy somos sois "
          "he ha han habia cada hasta desde entre solo gracias bueno buena llego producto calidad compre al ni o cual",
    "pt": "o a os as um uma uns umas e que de do da dos das em no na nos nas por pelo pela para com sem sobre mas "
          "porque como quando onde quem eh sao era eram foi foram ser estar esta estao este isto isso essa esse aquele "
          "muito mais menos tambem nao sim ja lhe se me te nos meu minha seu sua seus tem tenho ter tudo todos nada "
          "algo alguem nunca sempre bem mal melhor pior eu ele ela eles voce voces vc vcs sou somos ainda ate desde "
          "so obrigado bom boa chegou produto qualidade comprei ao aos recomendo pra pro entrega antes prazo veio ou qual",
    "ar": "في من على الى إلى عن هذا هذه ذلك تلك التي الذي الذين ما ماذا لماذا كيف متى أين لا لم لن ليس ليست كان كانت يكون "
          "هو هي هم نحن أنت انت انا أنا أو ثم لكن لان لأن إن أن ان اذا إذا كل بعض بعد قبل عند مع بين حتى قد لقد غير فقط جدا "
          "يا والله الله انه أنه إنه كما هنا هناك اللي مش شو ايه ليش بس كده دي ده احنا عشان علشان زي ولا وما وهو وهي حتي "
          "كتاب رائع جميل فندق المنتج جيد ممتاز سيئ الكتاب الرواية",
    "fa": "است هست بود نیست این آن که از به با در را برای تا هم هر یک دو خود ما شما من تو او آنها ایشان اما ولی اگر چون "
          "چرا چه چی چیه کجا کی چطور خیلی بسیار همه هیچ هیچی فقط نه بله دیگه دیگر شد شده شود می میشه میکنه میکنم کردم کرد "
          "کن کنید کنم باید باشد باشه داره دارم دارد دارند نداره ندارد رو هستم هستند هستید ام اند بعد قبل روی زیر خوب بد "
          "عالی محصول کیفیت خرید خریدم ممنون مرسی واقعا اصلا اینکه اونا اون همین همون میگه بشه مثل پس نکنید",
    "lv": "un ir nav bija bet ka kas ko kad kur ar uz no par pie bez lai vai ja ne es tu vins vina mes jus vini tas ta "
          "to tie tos sis si so viss visi visu loti vel jau tik tikai ari gan nekas neko kads kada kadu mans mana savu "
          "sava tavs jusu musu esmu esi esam bus butu but varu var vajag tapec jo kaut itka pec pirms lidz starp nevar "
          "preces prece paldies labi slikti tads tada sodien tagad kapec cik pat citi tam taja esot gribu zinu",
}
OTHERS = {
    "de": "der die das und ist nicht ich du er sie wir ihr ein eine einen dem den des mit auf fur von zu auch aber oder "
          "sehr wie wenn noch nur nach bei aus kann hat haben wird war sind mein dein kein keine schon immer mehr",
    "fr": "le les des et est pas je tu il elle nous vous ils une dans pour avec sur ce cette ces mais ou donc tres plus "
          "moins bien mal qui que quoi c'est j'ai n'est etait sont ont avez suis mon ma mes votre notre au aux du tout",
    "it": "il lo gli che di non per con una sono sei siamo anche come questo questa quello molto piu meno bene male "
          "perche quando dove chi cosa della delle degli nel nella sul ho hai abbiamo mi ti ci ma piu tutto sempre mai",
    "nl": "het een en niet van ik je jij hij wij zij met voor aan op maar ook heel zeer wat wie waar dit dat deze die "
          "zijn ben heeft hebben wordt werd nog naar bij uit door geen goed slecht mijn jouw onze om te",
    "pl": "nie jest sie na do jak ale czy co kto gdzie kiedy bardzo tylko juz jeszcze ten ta to te tego byl byla bylo "
          "sa mam masz ma moj twoj dla przez przy oraz lub bo zeby polecam dziekuje w z ze",
    "tr": "bir ve bu cok icin ile ama degil var yok daha gibi kadar ben sen biz siz onlar ne nasil neden mi mu da de "
          "olarak urun guzel iyi kotu tavsiye ederim",
    "ro": "si nu este sunt care pentru din cu pe la mai foarte dar sau ca ce cand unde am ai are avem acest aceasta "
          "produs bun recomand multumesc",
    "sv": "och att det som en ett ar inte jag du han hon vi ni de med for pa av till om har var mycket men eller",
    "cs": "je jsem neni ze se na to ale jak co kdo kde kdy velmi jen uz jeste tento jsou byl byla pro nebo protoze",
    "id": "yang dan di ke dari ini itu tidak dengan untuk saya kamu dia kami ada sudah sangat tapi karena juga",
    "lt": "ir yra nera buvo bet kad kas kai su is apie be ar jei as tu jis ji mes jus labai dar jau tik taip",
    "et": "ja on ei see ma sa ta me te aga kui kes mis kus oli vaga ka veel ning et oma",
}
# Weight of what sells, by language: (strong, some, little).
SELLS = [
    ("viagra cialis casino betting bitcoin crypto forex backlink backlinks webcam escort escorts ringtone ringtones "
     "txt jackpot lottery sweepstakes unsubscribe guaranteed awarded unclaimed payday millionaire clickbait hotgirls "
     "polyphonic freemsg mobileupd8 vouchers redeemable suprise",
     "winner won claim prize cash urgent congratulations congrats subscribe subscription followers telegram whatsapp "
     "investment investor loan loans earn income dating singles sexy pharmacy seo promo voucher bonus cheapest giveaway "
     "camcorder nokia landline weekly entry draw collect tones polys optout rate reply msg stop sms auction chat horny "
     "congratulation operator privacy exclusive expires winners award",
     "free click offer offers discount code call text buy cheap visit win guarantee deal deals link website online now "
     "mobile phone per week min 150p tcs apply 18 cost customer service shop selected contact"),
    ("casino apuestas bitcoin cripto criptomonedas viagra loteria",
     "ganador premio felicidades urgente prestamo prestamos inversion telegram whatsapp seguidores suscribete "
     "ingresos promocion sorteo gana gratis",
     "haz clic oferta descuento codigo llama visita enlace web compra"),
    ("cassino apostas bitcoin cripto criptomoedas viagra loteria tigrinho",
     "ganhador premio parabens urgente emprestimo emprestimos investimento telegram whatsapp zap seguidores "
     "renda promocao sorteio ganhe",
     "gratis clique oferta desconto codigo ligue visite link site acesse inscreva"),
    ("كازينو بيتكوين فياجرا مراهنات يانصيب",
     "اربح جائزة مبروك عاجل قرض استثمار تلغرام تليجرام واتساب متابعين اشترك",
     "مجانا اضغط عرض خصم كود اتصل رابط زوروا"),
    ("کازینو بیتکوین ویاگرا شرطبندی قرعهکشی",
     "برنده جایزه تبریک فوری وام سرمایهگذاری تلگرام واتساپ فالوور درآمد عضو",
     "رایگان کلیک پیشنهاد تخفیف کد تماس لینک سایت"),
    ("kazino bitkoini viagra loterija totalizators",
     "uzvaretajs balva apsveicam steidzami kredits krediti aizdevums investicijas telegram whatsapp sekotaji",
     "bezmaksas noklikskini piedavajums atlaide kods zvani saite majaslapa"),
]
SLOTS = 4096


def fold(word):
    out = "".join(letters_of(ord(c)) for c in word)
    return "".join(c for i, c in enumerate(out) if i == 0 or c != out[i - 1] or c.isdigit())


def hash_of(data):
    h = 0x811C9DC5
    for byte in data:
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    return h


def gather():
    words = {}
    names = list(LANGUAGES) + list(OTHERS)
    for number, name in enumerate(names):
        for word in {fold(part) for w in {**LANGUAGES, **OTHERS}[name].split() for part in w.split("'")}:
            words.setdefault(word, [0, 0])[0] |= 1 << number
    for strong, some, little in SELLS:
        for weight, list_of in ((6, strong), (3, some), (1, little)):
            for word in list_of.split():
                entry = words.setdefault(fold(word), [0, 0])
                entry[1] = max(entry[1], weight)
    words.pop("", None)
    return names, words


def main():
    names, words = gather()
    slots = [None] * SLOTS
    longest = 0
    for word in sorted(words):
        data = word.encode()
        if len(data) > 24:
            continue
        at, steps = (hash_of(data) >> 12) % SLOTS, 1
        while slots[at] is not None:
            at, steps = (at + 1) % SLOTS, steps + 1
        longest = max(longest, steps)
        slots[at] = (word, hash_of(data), words[word])
    print('/* SPDX-License-Identifier: MIT */')
    print('/* Written by word_table.py: change that, not this. */')
    print('#include "moderation/word_table.h"\n\n/* clang-format off */')
    print('const char *const word_languages[WORD_LANGUAGES] = {%s};\n' % ", ".join('"%s"' % n for n in names))
    print('const struct word_slot word_slots[WORD_SLOTS] = {')
    for at, slot in enumerate(slots):
        if slot:
            word, h, (languages, sells) = slot
            print('    [%d] = {0x%08X, 0x%05X, %d}, /* %s */' % (at, h, languages, sells, word))
    print('};')
    assert len(names) == 18 and longest <= 16, (len(names), longest)


if __name__ == "__main__":
    main()
