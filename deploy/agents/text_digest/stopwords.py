"""The words that carry a language's grammar and not a text's subject."""

LANGUAGES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "it": "Italian",
    "pt": "Portuguese",
    "nl": "Dutch",
    "sv": "Swedish",
    "da": "Danish",
    "pl": "Polish",
    "fi": "Finnish",
    "tr": "Turkish",
    "ru": "Russian",
    "uk": "Ukrainian",
    "el": "Greek",
    "he": "Hebrew",
    "ar": "Arabic",
    "hi": "Hindi",
    "th": "Thai",
    "ko": "Korean",
    "ja": "Japanese",
    "zh": "Chinese",
}

_LISTS = {
    "en": """
        a about above after again against all almost along already also although always am among an and
        another any anyone anything are around as at away back be became because become becomes been before
        being below best better between both but by came can cannot come could did do does doing done down
        during each early either else enough even ever every everyone everything far few first five for four
        from full further gave get gets getting give given go goes going gone good got had half has have
        having he her here hers herself him himself his how however i if in instead into is it its itself
        just keep kept kind knew know known large last late later least less let like likely little long
        made mainly make makes making many may maybe me mean means might mine more most mostly much must my
        myself near nearly need needed needs neither never next no nobody none nor not nothing now of off
        often on once one only onto or other others our ours ourselves out over own per perhaps put quite
        rather really said same saw say says second see seem seemed seems seen several shall she should show
        shown since six small so some someone something soon still such take taken takes ten than that the
        their theirs them themselves then there therefore these they thing things this those though three
        through thus to together too took toward towards two under until up upon us use used uses using very
        was way we well went were what whatever when whenever where whether which while who whoever whole
        whom whose why will with within without would year years yes yet you your yours yourself yourselves
        don't doesn't didn't isn't aren't wasn't weren't can't won't couldn't shouldn't wouldn't it's that's
        there's we're they're you're i'm i've we've
    """,
    "de": """
        aber alle allem allen aller alles als also am an andere anderen anderer anderes auch auf aus bei
        beim bin bis bist da dabei dadurch dafür damit danach dann daran darauf daraus darin das dass dazu
        dein deine dem den denen denn dennoch der deren des deshalb dessen die dies diese diesem diesen
        dieser dieses doch dort du durch ein eine einem einen einer eines einige einmal er es etwa etwas
        euch euer fast für gegen gewesen gibt hab habe haben hat hatte hatten hier hin hinter ich ihm ihn
        ihnen ihr ihre ihrem ihren ihrer im immer in ins ist ja jede jedem jeden jeder jedes jedoch jetzt
        kann kein keine keinem keinen keiner können könnte machen man manche mehr mein meine mich mir mit
        muss müssen nach nachdem nicht nichts noch nun nur ob oder ohne schon sehr sei sein seine seinem
        seinen seiner seit selbst sich sie sind so sodass solche soll sollen sollte sondern sonst sowie über
        um und uns unser unsere unter viel viele vom von vor war waren warum was weil weiter welche welcher
        wenn wer werde werden wie wieder wir wird wo wurde wurden während zu zum zur zwar zwischen
    """,
    "fr": """
        à afin ai ainsi alors après au aucun aucune aussi autre autres aux avait avant avec avoir c'est car
        ce ceci cela celle celles celui ces cet cette ceux chaque chez comme comment dans de des depuis deux
        dont du elle elles en encore entre est et étaient était été être eu eux fait faire fois font hors il
        ils je jusqu l'on la là le les leur leurs lors lui ma mais malgré me même mêmes mes moi moins mon ne
        ni non nos notre nous on ont or ou où par parce pas pendant peu peut peuvent plus pour pourquoi
        pouvait puis qu quand que quel quelle quelles quels qui quoi sa sans se selon sera ses si sien soit
        son sont sous sur ta tandis te tel telle tes toi ton tous tout toute toutes très trop tu un une vers
        voici voilà vos votre vous y
    """,
    "es": """
        a al algo algunas algunos ante antes aquí así aun aunque bajo bien cada casi como con contra cual
        cuales cuando de del desde después donde dos durante e el él ella ellas ellos en entonces entre era
        eran es esa esas ese eso esos esta está están estas este esto estos estoy fue fueron ha había hace
        hacer hacia han hasta hay la las le les lo los más me mi mientras mis mismo mucho muchos muy nada ni
        no nos nosotros nuestra nuestro o os otra otras otro otros para pero poco por porque pues que qué
        quien quienes se sea según ser si sí sido sin sino sobre solo son su sus también tan tanto te tener
        tiene tienen todo todos tras tu un una uno unos usted y ya yo
    """,
    "it": """
        a abbiamo ad agli ai al alla alle allo altre altri altro anche ancora aveva avevano avere c'è che
        chi ci cioè come con contro cosa così cui da dagli dai dal dalla dalle dallo degli dei del dell
        della delle dello dentro di dopo dove due e è ed era erano essere fa fare fino fra gli ha hanno ho i
        il in io la le lei li lo loro lui ma me mentre mi mia mie mio molti molto ne né negli nei nel nella
        nelle nello no noi non nostra nostro o ogni oltre per perché però più poi prima proprio può qua
        quale quali quando quanto quella quelle quelli quello questa queste questi questo qui se sei sempre
        senza si sia siamo sono sopra sotto stata stati stato su sua sue sugli sui sul sulla sulle suo tra
        tu tutta tutte tutti tutto un una uno verso vi voi
    """,
    "pt": """
        a à ainda além algumas alguns ante antes ao aos apenas após aquela aquele as às assim até cada com
        como contra da das de dela dele deles depois desde deve do dos e é ela elas ele eles em enquanto
        entre era eram essa essas esse esses esta está estão estas este estes eu faz foi foram há isso isto
        já lhe mais mas me mesmo meu minha muito muitos na não nas nem no nos nós nossa nosso num numa o
        onde os ou para pela pelas pelo pelos pode podem por porque pouco quais qual quando quanto que quem
        são se seja sem ser seu seus si sido só sob sobre sua suas também tão tem têm tendo ter toda todas
        todo todos tu um uma umas uns vai você vocês
    """,
    "nl": """
        aan al alle alleen allemaal als altijd andere anders ben bij daar daarna dan dat de deze die dit
        doch doen door dus een eens elk en er ge geen geweest haar had heb hebben heeft hem het hier hij hoe
        hun iemand iets ik in is ja je jij kan kon kunnen maar mag me meer men met mij mijn moet moeten na
        naar niet niets nog nu of om omdat onder ons onze ook op over reeds sinds te tegen toch toen tot
        tussen u uit uw van veel voor vooral waar waarom wanneer want waren was wat we wel werd werden wie
        wij wil worden wordt zal ze zei zelf zich zij zijn zo zoals zonder zou zullen
    """,
    "sv": """
        alla allt att av bara blev bli blir blivit de dem den denna deras dess dessa det detta dig din dina
        ditt du där därför efter eller en er era ett från för ha hade han hans har hela henne hennes hon
        honom hur här i icke inom inte jag ju kan kunde man med mellan men mig min mina mitt mot mycket ni
        nu när någon något några och om oss på samma sedan sig sin sina sitt skulle som så sådan till under
        upp ut utan vad var vara varför varit vem vi vid vilka vilken är även över
    """,
    "da": """
        af alle alt anden andet andre at blev blive bliver da de dem den denne der deres det dette dig din
        dine disse dog du efter eller en end er et for fra få gennem ham han hans har havde have hende
        hendes her hos hun hvad hvem hver hvis hvor hvordan i ikke ind jeg jer jo kan kom kun kunne man
        mange med meget mellem men mig min mine mod må ned noget nogle nok nu når og også om op os over på
        samme selv sig sin sine sit skal skulle som sådan til ud uden under var ved vi vil ville vor være
        været
    """,
    "pl": """
        a aby ale ani bardzo bez bo być był była było były będzie będą co czy dla do gdy gdzie go i ich im
        inne ja jak jako je jego jej jest jeszcze jeśli już kiedy kto która które którego której który
        których którym którzy lub ma mi między mnie może można mu na nad nam nas nie nich nic niż o od on
        ona one oni oraz pan po pod ponieważ przed przez przy są się ta tak także tam te tego tej ten też to
        tu tych tylko tym u w we więc właśnie wszystko z za zawsze ze że żeby
    """,
    "fi": """
        ei eivät ehkä että he heidän heitä hän hänen ja jo jos joka jotka jossa jonka joita kaikki kanssa
        koska kuin kun me meidän mikä minä minun mitä mutta myös ne niiden niin niitä nyt näin olemme olen
        olet oli olisi olivat on ollut ole ovat sekä se sen siinä siitä sillä sinä sitä tai te tämä tämän
        tätä vain vaikka voi voidaan vielä
    """,
    "tr": """
        acaba ama ancak artık az bana bazı ben beni benim bir biri birçok biz bu buna bunu bunun da daha de
        defa değil diğer diye en gibi göre hem hep her hiç için ile ise kadar karşı ki kim mı mi mu mü nasıl
        ne neden nerede o olan olarak oldu olduğu olması olur ona onlar onu onun öyle sadece sanki siz sonra
        şey şu tarafından tüm ve veya var vardı ya yani yok zaten
    """,
    "ru": """
        а без более бы был была были было быть в вам вас весь во вот все всего всех вы где да даже для до
        его ее если есть еще же за здесь и из или им их к как ко когда кто ли либо мне может мы на над надо
        наш не него нее нет ни них но ну о об однако он она они оно от очень по под при с со так также такой
        там те тем то того тоже той только том ты у уже хотя чего чей чем что чтобы эта эти это этого этой
        этом этот я
    """,
    "uk": """
        а або але без би був була були було бути в вам вас весь від він вона вони воно все всіх де для до
        дуже з за зі і із їх її його коли який яка які як якщо між ми може на над нас наш не нема ні них но
        о от по при про с саме себе так також такий там те ти то тобто той тому у уже хто це цей ця ці чи що
        щоб я
    """,
}

# Words without which no sentence of the language is written tell languages apart; a word of several languages counts
# for each of them, and less.
STOPWORDS = {language: frozenset(words.split()) for language, words in _LISTS.items()}
EMPTY: frozenset[str] = frozenset()


def stopwords(language: str) -> frozenset[str]:
    """The language's list, in lower case; empty for a language without one."""
    return STOPWORDS.get(language, EMPTY)
