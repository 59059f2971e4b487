package models

import "fmt"

// slidingLayers returns the window of each layer, 0 where a layer reads everything: sliding_window in the layers that layer_types calls
// sliding_attention or, without such a list, in those that in says. nil: no layer has one.
func slidingLayers(c Config, in func(layer int) bool) ([]int, error) {
	window, kinds := 0, []string(nil)
	if ok, err := c.Field("sliding_window", &window); err != nil || !ok {
		if err == nil {
			err = c.onlyLayers("full_attention")
		}
		return nil, err
	}
	if window < 1 || window > maxSize {
		return nil, fmt.Errorf("%s: sliding_window is %d, want a whole number from 1 to %d", c.Name, window, maxSize)
	}
	if same := window; c.Has("sliding_window_size") {
		if _, err := c.Field("sliding_window_size", &same); err != nil || same != window {
			return nil, fmt.Errorf("%s: sliding_window_size is not the same as sliding_window, %d", c.Name, window)
		}
	}
	listed, err := c.Field("layer_types", &kinds)
	if err != nil {
		return nil, err
	}
	if listed && len(kinds) != c.Layers {
		return nil, fmt.Errorf("%s: layer_types has %d entries for %d layers", c.Name, len(kinds), c.Layers)
	}
	out, any := make([]int, c.Layers), false
	for l := range out {
		slides := in(l)
		if listed {
			if slides = kinds[l] == "sliding_attention"; !slides && kinds[l] != "full_attention" {
				return nil, fmt.Errorf("%s: layer_types[%d] is %.60q, want full_attention or sliding_attention", c.Name, l, kinds[l])
			}
		}
		if slides {
			out[l], any = window, true
		}
	}
	if !any {
		return nil, nil
	}
	return out, nil
}

// everyLayer is all layers.
func everyLayer(int) bool { return true }

// onlyLayers returns an error if layer_types lists another kind of layer than the one given.
func (c Config) onlyLayers(kind string) error {
	var kinds []string
	if _, err := c.Field("layer_types", &kinds); err != nil {
		return err
	}
	for l, k := range kinds {
		if k != kind {
			return fmt.Errorf("%s: layer_types[%d] is %.60q, but no sliding window is in use", c.Name, l, k)
		}
	}
	return nil
}

// only returns an error if a field of config.json has another value than the only one that is computed, as JSON spells it.
func (c Config) only(key, value string) error {
	if c.Has(key) && string(c.fields.raw[key]) != value {
		return fmt.Errorf("%s: %s is %.60s; only %s is supported", c.Name, key, c.fields.raw[key], value)
	}
	return nil
}

// bound reads a number above 0: absent it has the default given, null means 0, none.
func (c Config) bound(key string, absent float64) (float64, error) {
	if c.fields == nil || c.fields.raw[key] == nil {
		return absent, nil
	}
	var v float64
	ok, err := c.Field(key, &v)
	if err == nil && ok && !(v > 0 && v < 1e30) {
		err = fmt.Errorf("%s: %s is %v, want a number above 0", c.Name, key, v)
	}
	return v, err
}
