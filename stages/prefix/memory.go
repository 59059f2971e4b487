package prefix

import "container/list"

// recent is the tier in memory: entries in order of use, the oldest one going first.
type recent struct {
	limit, bytes int64
	order        *list.List // of entry, the latest used first
	at           map[Hash]*list.Element
}

func newRecent(limit int64) *recent {
	return &recent{limit: limit, order: list.New(), at: map[Hash]*list.Element{}}
}

func (m *recent) has(h Hash) bool { return m.at[h] != nil }

func (m *recent) get(h Hash) ([]byte, bool) {
	e := m.at[h]
	if e == nil {
		return nil, false
	}
	m.order.MoveToFront(e)
	return e.Value.(entry).data, true
}

// put keeps a copy of data, if it fits at all.
func (m *recent) put(h Hash, data []byte) {
	if int64(len(data)) > m.limit || m.has(h) {
		return
	}
	for m.bytes+int64(len(data)) > m.limit {
		oldest := m.order.Back()
		e := m.order.Remove(oldest).(entry)
		delete(m.at, e.name)
		m.bytes -= int64(len(e.data))
	}
	m.at[h] = m.order.PushFront(entry{h, append([]byte(nil), data...)})
	m.bytes += int64(len(data))
}
