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
)
