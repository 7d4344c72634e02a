// Write what the prelude's `Intl` knows of locales, from the CLDR data of the node that runs this:
//   node tests/sandbox/make_locale_data.js > runtime/experience_runtime/sandbox/prelude/23_locale_data.js
// Every pattern is learned from samples, and kept only where it gives all of them again: what is left out is
// refused by the prelude.
'use strict'
const { LOCALES, literal } = require('./locale_files.js')
const CURRENCIES = 'EUR USD GBP JPY CHF SEK DKK NOK PLN CZK TRY CNY KRW AUD CAD NZD BRL MXN INR'.split(' ')
const WORDS = { n: 'numeric', 2: '2-digit', s: 'short', l: 'long' }
const STYLES = { F: 'full', L: 'long', M: 'medium', S: 'short' }

const ALL = []
for (let n = 0; n < 48; n++) {
  const hour = n % 24
  ALL.push(new Date(Date.UTC(n % 3 === 0 ? 2005 : n % 3 === 1 ? 2026 : 1999, n % 12, 1 + (n * 7) % 28, hour, n % 2 ? 5 : 42, n % 2 ? 37 : 9)))
}

const FEW = ALL.filter((_, n) => n % 5 === 0) // every hour's half and every month's third

const two = n => (n < 10 ? '0' : '') + n
const cut = (word, field) => word === '-' ? {} : { [field]: WORDS[word] }

// the names in a locale, as they stand in a date and alone
function names (locale, options, type, dates) {
  const format = new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' })
  return dates.map(date => (format.formatToParts(date).find(part => part.type === type) || { value: '' }).value)
}
const months = Array.from({ length: 12 }, (_, n) => new Date(Date.UTC(2026, n, 9)))
const days = Array.from({ length: 7 }, (_, n) => new Date(Date.UTC(2026, 2, 1 + n))) // a Sunday first

function namesOf (locale) {
  return {
    A: names(locale, { month: 'long', day: 'numeric' }, 'month', months),
    B: names(locale, { month: 'long' }, 'month', months),
    C: names(locale, { month: 'short', day: 'numeric' }, 'month', months),
    D: names(locale, { month: 'short' }, 'month', months),
    E: names(locale, { weekday: 'long', day: 'numeric', month: 'long' }, 'weekday', days),
    F: names(locale, { weekday: 'long' }, 'weekday', days),
    G: names(locale, { weekday: 'short', day: 'numeric', month: 'long' }, 'weekday', days),
    H: names(locale, { weekday: 'short' }, 'weekday', days),
    P: names(locale, { hour: 'numeric', hour12: true }, 'dayPeriod', [new Date(0), new Date(432e5)])
  }
}

// a token's text at an instant in UTC; the same in the prelude
const TOKENS = {
  y: ['year', d => '' + d.getUTCFullYear()],
  z: ['year', d => two(d.getUTCFullYear() % 100)],
  M: ['month', d => '' + (d.getUTCMonth() + 1)],
  N: ['month', d => two(d.getUTCMonth() + 1)],
  d: ['day', d => '' + d.getUTCDate()],
  e: ['day', d => two(d.getUTCDate())],
  h: ['hour', d => '' + (d.getUTCHours() % 12 || 12)],
  i: ['hour', d => two(d.getUTCHours() % 12 || 12)],
  j: ['hour', d => '' + d.getUTCHours()],
  k: ['hour', d => two(d.getUTCHours())],
  q: ['hour', d => two(d.getUTCHours() || 24)],
  r: ['hour', d => '' + (d.getUTCHours() % 12)],
  m: ['minute', d => two(d.getUTCMinutes())],
  s: ['second', d => two(d.getUTCSeconds())],
  u: ['minute', d => '' + d.getUTCMinutes()],
  v: ['second', d => '' + d.getUTCSeconds()],
  A: ['month', (d, names) => names.A[d.getUTCMonth()]],
  B: ['month', (d, names) => names.B[d.getUTCMonth()]],
  C: ['month', (d, names) => names.C[d.getUTCMonth()]],
  D: ['month', (d, names) => names.D[d.getUTCMonth()]],
  E: ['weekday', (d, names) => names.E[d.getUTCDay()]],
  F: ['weekday', (d, names) => names.F[d.getUTCDay()]],
  G: ['weekday', (d, names) => names.G[d.getUTCDay()]],
  H: ['weekday', (d, names) => names.H[d.getUTCDay()]],
  P: ['dayPeriod', (d, names) => names.P[d.getUTCHours() < 12 ? 0 : 1]],
  Z: ['timeZoneName', (d, names, value) => value]
}

// -> '{E}, {A} {d}', or null
function learn (locale, options, known, SAMPLES = ALL) {
  const format = new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' })
  const all = SAMPLES.map(date => format.formatToParts(date))
  let pattern = ''
  for (let at = 0; at < all[0].length; at++) {
    const { type, value } = all[0][at]
    if (all.some(parts => parts.length !== all[0].length || parts[at].type !== type)) return null
    if (type === 'literal') {
      if (/[{}]/.test(value) || all.some(parts => parts[at].value !== value)) return null
      pattern += value
      continue
    }
    const token = Object.keys(TOKENS).find(name => TOKENS[name][0] === type && all.every((parts, n) => parts[at].value === TOKENS[name][1](SAMPLES[n], known, parts[at].value)))
    if (token === undefined) return null
    pattern += '{' + token + '}'
  }
  return pattern
}

const ZONE_NAMES = { zs: 'short', zn: 'long', zo: 'shortOffset', zl: 'longOffset' }
const DATE_KEYS = ['F', 'L', 'M', 'S']
for (const w of '-sl') for (const y of '-n2') for (const m of '-n2sl') for (const d of '-n2') if (w + y + m + d !== '----') DATE_KEYS.push(w + y + m + d)
const TIME_KEYS = ['F', 'L', 'M', 'S', 'F1', 'L1', 'M1', 'S1', 'F0', 'L0', 'M0', 'S0']
for (const h of 'n2') for (const ms of ['', 'm', 'o', 'ms', 'op', 'mp', 'os']) for (const cycle of ['', '1', '0']) TIME_KEYS.push(h + ms + cycle)

function dateOptions (key) {
  if (key.length === 1) return { dateStyle: STYLES[key] }
  return { ...cut(key[0], 'weekday'), ...cut(key[1], 'year'), ...cut(key[2], 'month'), ...cut(key[3], 'day') }
}
const digit = (key, padded, plain, field) => key.includes(padded) ? { [field]: '2-digit' } : key.includes(plain) ? { [field]: 'numeric' } : {}
function timeOptions (key) {
  const cycle = /[01]$/.test(key) ? { hour12: key.endsWith('1') } : {}
  if (/[FLMS]/.test(key)) return { timeStyle: STYLES[key[0]], ...cycle }
  return { hour: WORDS[key[0]], ...digit(key, 'm', 'o', 'minute'), ...digit(key, 's', 'p', 'second'), ...cycle }
}

function dates (locale) {
  const known = namesOf(locale)
  const found = { names: known, d: {}, t: {}, g: {} }
  for (const key of DATE_KEYS) found.d[key] = learn(locale, dateOptions(key), known)
  for (const key of TIME_KEYS) found.t[key] = learn(locale, timeOptions(key), known)
  for (const key of TIME_KEYS) {
    for (const [suffix, timeZoneName] of /[FLMS]/.test(key) ? [] : Object.entries(ZONE_NAMES)) {
      const named = learn(locale, { ...timeOptions(key), timeZoneName }, known)
      if (named !== found.t[key] + ' {Z}') found.t[key + suffix] = named || '' // the prelude refuses what was not learned
    }
  }
  const counts = {}
  for (const date of DATE_KEYS) {
    const glues = new Set()
    for (const time of TIME_KEYS) {
      if (found.d[date] === null || found.t[time] === null || (date.length === 1) !== /[FLMS]/.test(time)) continue
      const whole = learn(locale, { ...dateOptions(date), ...timeOptions(time) }, known, FEW)
      const isBetween = whole !== null && whole.startsWith(found.d[date]) && whole.endsWith(found.t[time])
      glues.add(isBetween ? whole.slice(found.d[date].length, whole.length - found.t[time].length) : null)
    }
    found.g[date] = glues.size === 1 ? [...glues][0] : null
    if (found.g[date] !== null) counts[found.g[date]] = (counts[found.g[date]] || 0) + 1
  }
  found.glue = Object.keys(counts).sort((a, b) => counts[b] - counts[a])[0]
  for (const key of DATE_KEYS) if (found.g[key] === found.glue) delete found.g[key]
  for (const part of ['d', 't']) for (const key of Object.keys(found[part])) if (found[part][key] === null) delete found[part][key]
  return found
}

// numbers: the parts of a style, and how groups are made
function separators (locale, options) {
  const of = (number, type) => (new Intl.NumberFormat(locale, options).formatToParts(number).find(part => part.type === type) || { value: '' }).value
  return { group: of(1234567.5, 'group'), decimal: of(1234567.5, 'decimal') || of(0.5, 'decimal'), least: of(options.style === 'percent' ? 12.34 : 1234, 'group') === '' ? 5 : 4 }
}
function template (locale, options, number) {
  let text = ''
  for (const { type, value } of new Intl.NumberFormat(locale, options).formatToParts(number)) {
    if (['integer', 'group', 'decimal', 'fraction'].includes(type)) text += text.includes('{}') ? '' : '{}'
    else text += value
  }
  return text
}
function numbers (locale) {
  const found = { nan: new Intl.NumberFormat(locale).format(NaN) }
  for (const [name, options] of [['decimal', {}], ['percent', { style: 'percent', minimumFractionDigits: 1 }], ['currency', { style: 'currency', currency: 'EUR' }]]) {
    found[name] = { ...separators(locale, options), plus: template(locale, options, 1234.5), minus: template(locale, options, -1234.5) }
  }
  found.currencies = {}
  for (const currency of CURRENCIES) {
    const options = { style: 'currency', currency }
    const own = separators(locale, { ...options, minimumFractionDigits: 2 })
    const digits = new Intl.NumberFormat(locale, options).resolvedOptions().maximumFractionDigits
    const as = ['group', 'decimal', 'least'].every(name => own[name] === found.currency[name])
    if (as) found.currencies[currency] = [digits, template(locale, options, 1234.5), template(locale, options, -1234.5)]
  }
  return found
}

const lines = LOCALES.map(locale => `    '${locale}': ${literal(JSON.stringify({ ...dates(locale), numbers: numbers(locale) }))}`)
process.stdout.write(`// What \`Intl\` knows of locales: written by tests/sandbox/make_locale_data.js from CLDR ${process.versions.cldr}, and read by
// 24_locale.js. A locale is JSON: {names, d: dates, t: times, g: what stands between them, glue, numbers}.
(function (kit) {
  'use strict'
  kit.locales = kit.record({
${lines.join(',\n')}
  })
})
`)
