package datasets

import "strings"

// english is the tongue of qaeng and choiceeng. No name, town or inn begins with A to D, which the published scorer of choiceeng would take
// for the letter of an option.
var english = tongue{
	fullName: "%s %s",
	women: strings.Fields(`Edith Eleanor Eliza Emma Esther Fanny Felicity Flora Georgiana Grace Hannah Harriet Helena Henrietta Isabel Ivy Jane
Josephine Judith Katharine Laura Lavinia Letitia Louisa Lucy Lydia Mabel Margaret Martha Matilda Nora Octavia Olive Penelope Phoebe Priscilla
Rachel Rebecca Rosalind Ruth Sarah Selina Sophia Susanna Theodora Ursula Veronica Viola Winifred`),
	men: strings.Fields(`Edgar Edmund Edwin Ernest Felix Francis Frederick Gabriel George Gilbert Godfrey Harold Henry Herbert Horace Hubert Hugh
Isaac Ivor Jacob James Jasper Jerome John Jonas Joseph Julian Lambert Laurence Leonard Lewis Luke Martin Matthew Miles Nathaniel Nicholas Oliver
Oscar Owen Percy Philip Ralph Reuben Richard Roger Rupert Samuel Silas Simon Stephen Theodore Thomas Tobias Victor Walter William`),
	families: strings.Fields(`Abbott Ashdown Atwell Barlow Beckford Blackwood Bramley Brightwell Carver Chadwick Clayton Copperfield Crane Crowley
Dalton Danvers Drake Dunford Eastman Ellery Everard Fairfax Fanshawe Fenwick Fletcher Garland Garrick Gifford Glover Greaves Hadley Halstead
Hargrave Hartwell Hathaway Holloway Huxley Ingram Jarrow Kendall Kettering Kingsley Lambourne Langford Larkin Lockwood Lovell Marchmont Marlow
Merrick Milford Mortimer Nettleton Newbury Norwood Oakley Osgood Overton Paget Palfrey Pemberton Penrose Prescott Quarles Radcliffe Ravenhill
Redfern Ridley Rokeby Sedgwick Selby Sheldrake Stanhope Starling Stockton Tarleton Templeton Thorne Thurlow Tolliver Trevelyan Underhill Upton
Vane Varley Verney Wainwright Wakefield Weatherby Whitlock Winslow Wolcott Woodford Wycliffe Yardley Yelverton`),
	innFirst: words(`Gilded Golden Green Grey Happy Hidden Honest Hungry Iron Ivory Jolly Jovial Laughing Leaping Little Lonely Lucky Merry
Mossy Noble Old Painted Patient Plump Proud Quiet Ragged Red Restless Ringing Royal Running Rusty Sailing Scarlet Silent Silver Singing Sleeping
Smiling Spotted Tall Thirsty Twisted Velvet Wandering Weary Whistling White Winking Yellow`, " "),
	innSecond: strings.Fields(`Anchor Badger Barrel Bell Boar Bull Candle Carp Cart Cask Chestnut Cockerel Crow Cup Dolphin Drum Eagle Elm Falcon
Fiddle Fox Friar Goat Goose Griffin Hare Harp Hart Hawk Hen Heron Hound Kettle Lamb Lantern Lark Lion Mermaid Mill Miller Mule Oak Otter Owl Ox
Pheasant Pilgrim Plough Pony Ram Raven Rose Saddle Salmon Ship Shepherd Stag Star Swan Thistle Trout Wheel Windmill`),
	firstYear: 1800, lastYear: 1899,
	valuesOf: [attributes][]value{
		factJob: articled(`apothecary, auctioneer, baker, beekeeper, bookbinder, brewer, butcher, carpenter, chandler, clockmaker, cobbler, cooper,
engraver, ferryman, fishmonger, gardener, glassblower, goldsmith, gravedigger, harness maker, clerk, joiner, lamplighter, locksmith,
mason, miller, music teacher, oculist, organist, potter, printer, ropemaker, schoolteacher, shepherd, surgeon, surveyor, tailor, tanner,
thatcher, umbrella maker, weaver`),
		factBirth: plain(englishTowns),
		factHeirloom: articled(`amber necklace, atlas of the heavens, brass telescope, bronze inkwell, carved flute, china teapot, coral brooch,
copper kettle, crystal decanter, embroidered shawl, enamel snuffbox, family Bible, gold locket, grandfather clock, ivory comb, jade ring,
leather trunk, marble chessboard, music box, mother-of-pearl fan, oak writing desk, oil painting, opal bracelet, pair of duelling pistols,
pewter tankard, porcelain doll, quilt of blue silk, rosewood violin, ruby pin, silver thimble, stuffed parrot, tortoiseshell mirror, walnut cradle`),
		factHiding: plain(`behind the kitchen clock, behind the loose brick, behind the mirror, beneath the altar, beneath the hearthstone,
beneath the sundial, between two mattresses, in the bottom of a flour barrel, in the chimney, in the dovecote, in the empty beehive, in the hayloft,
in the hollow elm, in the lining of a coat, in the old piano, in the potting shed, in the ruined tower, in the saddlebag, in the well, inside the
globe, inside the grandfather clock, over the stable door, under the floorboards, under the pear tree, under the stairs, under the weathercock`),
		factMove: plain(englishTowns),
	},
	say: [factKinds][]string{
		factJob: {"{A} worked as {aV}", "By trade {A} was {aV}", "For most of {his} life {A} earned {his} bread as {aV}", "{A} was known up and down the valley as {aV}"},
		factBirth: {"{A} was born in {V}", "It was in {V} that {A} was born", "The birthplace of {A} was {V}",
			"{A} first saw the light of day in {V}"},
		factHeirloom: {"{A} inherited {aV}", "From an aunt whom {he} had hardly known {A} inherited {aV}",
			"When the will was read, {aV} went to {A}", "What {A} inherited in the end was {aV}"},
		factHiding: {"{A} hid the family letters {V}", "The family letters of {A} lay hidden {V}", "Fearing thieves, {A} hid the family letters {V}",
			"Nobody guessed that {A} had hidden the family letters {V}"},
		factMove: {"{A} moved to {V} in {Y}", "In {Y} {A} moved to {V}", "In the {season} of {Y} {A} packed {his} trunks and moved to {V}",
			"The year {Y} came, and {A} moved to {V}"},
		factMeeting: {"{A} met {B} at the {V}", "In the {season} of {Y} {A} met {B} at the {V}", "It was at the {V} that {A} met {B}",
			"{A} had stopped at the {V} to dry {his} boots, and there met {B}"},
		factOwner: {"{A} was the owner of the {V}", "The {V} belonged to {A}", "The owner of the {V} was {A}", "{A} owned the {V}, from cellar to chimney"},
		factTeacher: {"{B} taught {A} to read", "It was {B} who taught {A} to read", "{A} learned to read from {B}",
			"If {A} could read, {he} owed it to {B}"},
	},
	rumours: [][2]string{{"Some people said that ", ", but that was not true."}, {"A story went round that ", "; there was not a word of truth in it."},
		{"One letter claims that ", ", which is an error."}, {"For years the neighbours believed that ", ", and they were wrong."}},
	stop: ".",
	asks: [factKinds]string{
		factJob: "What was the occupation of %s?", factBirth: "In which town was %s born?", factHeirloom: "What did %s inherit?",
		factHiding: "Where did %s hide the family letters?", factMove: "To which town did %s move first?",
		factMeeting: "At which inn did %s meet %s?", factOwner: "Who was the owner of %s?", factTeacher: "Who taught %s to read?",
	},
	askLastMove: "To which town did %s move last?",
	phrases: [factKinds]string{factMeeting: "the inn where %s met %s", factOwner: "the owner of %s",
		factTeacher: "the person who taught %s to read"},
	theInn: "the %s",
	filler: []string{
		"{A} looked out of the window and said nothing.", "The {wind} wind came over the {land} before {hour}.",
		"{A} put another log on the fire and listened to the {sound}.", "\"{remark},\" said {A}.", "Nobody slept well that night, and {A} least of all.",
		"The {land} lay {look} under {sky} sky.", "\"{asking}?\" asked {A}, without turning {his} head.", "By {hour} the road was {road}.",
		"Somewhere beyond the {land} there was the {sound}.", "{A} walked as far as the {land} and back again.",
		"The candles burned low, and the talk turned to the {topic}.", "It was {weather} day, and the {land} was {look}.",
		"{A} shook {his} head and poured {drink}.", "All that {season} people talked of nothing but the {topic}.",
		"There was {drink} on the table, and nobody had touched it.", "When {he} heard of the {topic}, {A} laughed until {his} eyes were wet.",
		"The {sound} went on until {hour}.", "{A} had forgotten {his} gloves and did not go back for them.",
		"The carriage was late, for the road was {road}.", "\"I have seen {weather} day like this before,\" said {A}.",
		"Then it was quiet again, and {A} was never one to break a silence.", "A dog barked twice near the {land} and was still.",
		"It rained on the {land} from {hour} until the lamps were lit.", "{A} counted the change twice and put it away.",
		"{A} and {B} played {game} until {hour}.", "\"{remark},\" said {A}, and {B} nodded.", "{A} wrote three pages about the {topic} and burned them.",
		"{B} thought the {topic} a great nonsense, and {A} did not contradict.", "{A} came in, {state}, and asked for {drink}.",
		"From the {land} one could hear the {sound}, and {A} stopped to listen.", "\"{asking}?\" said {A}. {B} gave no answer.",
		"Of the {topic} {A} knew only what {B} had let slip.", "{A} sat down, {state}, while {B} looked for {drink}.",
		"All {hour} meant to {B} was {drink} and a word about the {topic}.", "Across the {land}, {look} as it was, {A} saw a light.",
		"The {wind} wind had dropped, and the {sound} could be heard as far as the {land}.", "{A} dreamed of the {land} and woke {state}.",
	},
	titles: []string{"The {topic}", "Under {sky} sky", "Before {hour}", "The {sound}", "Beyond the {land}", "The {wind} wind"},
	pools: map[string][]string{
		"game":    {"cards", "draughts", "chess", "dominoes", "backgammon"},
		"state":   {"out of breath", "wet to the skin", "in high spirits", "pale as chalk", "humming a tune", "covered with dust", "half asleep", "with a cold"},
		"season":  {"spring", "summer", "autumn", "winter"},
		"wind":    {"north", "south", "east", "west", "cold", "warm", "salt", "dry"},
		"land":    {"moor", "orchard", "marsh", "churchyard", "river", "common", "wood", "lower meadow", "village green", "quarry", "pass", "millpond"},
		"hour":    {"dawn", "breakfast", "noon", "four o'clock", "dusk", "supper", "midnight"},
		"sound":   {"creaking of a gate", "sound of bells", "dripping of the eaves", "noise of hooves", "ticking of the clock", "song of a thrush", "murmur of voices"},
		"look":    {"silent", "white with frost", "grey", "bright with dew", "dark", "full of birds", "empty"},
		"sky":     {"a pale", "a heavy", "a clear", "a starless", "a copper", "a restless"},
		"road":    {"deep in mud", "crowded with carts", "empty", "white with dust", "under water", "hard with frost"},
		"weather": {"a mild", "a bitter", "a windless", "a golden", "a foggy", "a stormy"},
		"topic":   {"price of corn", "comet", "new railway", "lost ferry", "old quarrel", "harvest", "wedding", "flood", "election", "missing horse"},
		"drink":   {"a cup of tea", "a glass of port", "a jug of cider", "a bowl of broth", "a mug of ale"},
		"remark": {"You should have written sooner", "We had better wait for the others", "They say the bridge will not last", "It is a long way home in this weather",
			"Somebody must have left the gate open", "You will hear of it before the week is out", "That was not what I expected", "One gets used to everything"},
		"asking": {"Is there any more of that", "Have the others come in", "Did you hear the bell", "What is it to you", "Shall we go on", "Who left the lamp burning"},
	},
	chapter: "Chapter %d. ", indent: "\n\n", space: " ",
}

const englishTowns = `Eastmere, Elmbridge, Everholt, Fairhaven, Fallowfield, Fenbury, Foxcombe, Gadsby, Glenmoor, Goosewell, Greyport, Hallowby,
Harrowgate, Hazelwick, Highcliff, Hollinford, Ivybridge, Jarnley, Kelderby, Kestrelmouth, Larchester, Limewold, Littlestoke, Marshfield, Millbrook,
Netherby, Northwick, Oakhampton, Osmere, Otterbourne, Pennyford, Pinewater, Quillham, Ravenstow, Redcastle, Rookhurst, Saltmarsh, Sherborough,
Stonebeck, Tarnside, Thornbury, Tidewell, Umberley, Uppingham, Westerly, Whitcombe, Windrush, Wolverton, Yarrowdale`

// listed are the things that list names, with commas between them.
func listed(list string) []string { return strings.Split(strings.ReplaceAll(list, "\n", " "), ", ") }

// plain are the values that list names.
func plain(list string) (out []value) {
	for _, s := range listed(list) {
		out = append(out, value{"", s})
	}
	return out
}

// articled are the values that list names, with "a" or "an".
func articled(list string) (out []value) {
	for _, s := range listed(list) {
		article := "a "
		if strings.ContainsRune("aeiou", rune(s[0])) {
			article = "an "
		}
		out = append(out, value{article, s})
	}
	return out
}

// words are the words of list, each followed by after.
func words(list, after string) []string {
	out := strings.Fields(list)
	for i := range out {
		out[i] += after
	}
	return out
}
