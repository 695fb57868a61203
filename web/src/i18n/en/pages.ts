export default {
  failed: 'Could not be read',
  loading: 'Loading',
  all: 'All',
  more: 'More actions',
  none: 'None',
  unreadable: 'invalid',
  span: {
    s: '{s} s',
    ms: '{m} min {s} s',
    m: '{m} min',
    h: '{h} h',
    hm: '{h} h {m} min',
    d: '{d} d',
    dh: '{d} d {h} h',
  },
}
