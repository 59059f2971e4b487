package datasets

import "strings"

// The words of the mini formats. The reference model's tokenizer has each as one token, and it was trained on no others.
var (
	adjectives = strings.Fields(`
amber ancient blue bold brave bright bronze calm clever cold crimson dark deep dry early fast fierce gentle giant golden grand green
happy heavy hollow humble icy ivory jolly keen large late light lonely loud lucky mild misty noble old pale plain proud purple quick
quiet rapid rare red royal rusty sharp shy silent silver simple small smooth soft solid sour steep strong sunny swift tall tame tiny
vivid warm white wild wise young`)
	nouns = strings.Fields(`
anchor apple arrow badger basket beacon bear bell bird boat bottle branch bridge bucket cabin camel candle canyon castle cedar cloud
comet coral crane creek crow crystal desert dolphin dragon drum eagle ember engine falcon feather field fire flute forest fox garden
ginger glacier hammer harbor hawk heron hill horse island jacket jaguar kettle kite ladder lake lamp lantern leaf lemon lion lizard
lotus mango maple marble meadow melon mirror moon mountain needle oak ocean olive orchid otter owl panda paper parrot pearl pebble
pepper pine planet plum pond prairie rabbit radio raven ribbon river robin rocket rose saddle sail salmon shadow shell shield snow
spider spoon star stone storm sugar summit table temple thunder tiger tower train tulip tunnel turtle valley velvet violin walnut
whale willow window wolf`)
	places = strings.Fields(`
attic bakery barn basement bathroom bedroom cafe cellar church closet corridor factory garage gallery hall hotel kitchen library
market museum office park pharmacy school shop stable station studio theater workshop`)
	cities = strings.Fields(`
Athens Berlin Boston Cairo Dublin Geneva Havana Lima Lisbon London Madrid Milan Moscow Oslo Paris Prague Rome Seoul Tokyo Vienna
Warsaw Zurich`)
	verbs = strings.Fields(`
watched followed painted carried found lost crossed visited washed moved opened closed fixed sold bought drew held hid`)
	givenNames = strings.Fields(`
Adam Alice Anna Ben Bella Carl Clara David Diana Emma Eric Felix Fiona George Grace Hanna Henry Ivan Julia Karl Laura Leo Lucy
Maria Mark Mia Nina Noah Olga Oscar Paul Peter Rita Robert Rosa Sara Simon Sofia Thomas Vera Victor Wanda`)
	surnames = strings.Fields(`
Adler Baker Barnes Bell Brook Carter Chase Cole Cook Cross Dale Ellis Fisher Flint Ford Frost Grant Gray Hale Hart Hill Holt Hunt
King Lane Long Marsh Mason Mills Moss Nash North Page Park Price Reed Rice Rowe Shaw Stone Todd Vale Wade Ward Webb West Wood York`)
	jobs = strings.Fields(`
actor baker banker barber builder chemist dentist doctor driver editor farmer guard judge lawyer miner nurse painter pilot plumber
poet sailor singer tailor teacher waiter writer`)
	things = strings.Fields(`
book bottle box brush camera chair clock coin cup envelope guitar hat key knife letter map notebook pencil phone plate ring scarf
suitcase ticket umbrella vase wallet watch`)
)
