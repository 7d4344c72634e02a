// What a locale makes of the words around numbers, in lists and for zones: see locale.js.
function told (locale) {
  const lines = []
  const brief = parts => parts.map(({ type, value, unit = '' }) => type.slice(0, 3) + unit + value).join('|')
  const say = act => {
    try { lines.push(act()) } catch (error) { lines.push(error instanceof RangeError || error instanceof TypeError ? 'refused' : 'threw ' + error) }
  }
  const numbers = [0, -0, 1, -1, 2, 3, 5, 7, 8, 11, 12, 13, 21, 22, 23, 25, 80, 100, 101, 102, 111, 112, 800, 1000, 1100, 1234, 1e6, 2e6, 1.5e6, 0.5, 1.5, 2.01, 0.04, -7.25, 1e21, NaN, Infinity]
  for (const options of [{}, { type: 'ordinal' }, { minimumFractionDigits: 1 }, { maximumFractionDigits: 0 }, { type: 'ordinal', minimumFractionDigits: 2 }, { type: 'nominal' }]) {
    for (const number of numbers) say(() => new Intl.PluralRules(locale, options).select(number))
    say(() => new Intl.PluralRules(locale, options).resolvedOptions().pluralCategories.sort().join())
  }
  const units = ['second', 'minutes', 'hour', 'day', 'weeks', 'month', 'quarter', 'year', 'fortnight']
  for (const style of ['long', 'short', 'narrow', 'tiny']) {
    for (const numeric of ['always', 'auto']) {
      for (const unit of units) {
        for (const number of [0, -0, 1, -1, 2, -2, -3, 5, 1.5, -22, 1234.5678, 1e6, -3e6]) say(() => new Intl.RelativeTimeFormat(locale, { style, numeric }).format(number, unit))
        say(() => brief(new Intl.RelativeTimeFormat([locale], { style, numeric }).formatToParts(-1, unit)))
        say(() => brief(new Intl.RelativeTimeFormat(locale, { style, numeric }).formatToParts(-12345.5, unit)))
      }
    }
  }
  const lists = [[], ['a'], ['a', 'Ilse'], ['a', 'ocho'], ['a', 'hijo'], ['a', 'hielo'], ['uno', 'hiato'], ['11', '8'], ['7', '11'], ['7', '11 b'], ['7', '110'], ['Ana', 'Bo', 'hola'], ['a', 'b', 'c', 'Inés'], ['a', '', '{}'], new Set(['x', 'y']), 'ab', ['a', 1]]
  for (const type of ['conjunction', 'disjunction', 'unit', 'other']) {
    for (const style of ['long', 'short', 'narrow', 'tiny']) {
      for (const list of lists) say(() => brief(new Intl.ListFormat(locale, { type, style }).formatToParts(list)) + new Intl.ListFormat(locale, { type, style }).format(list))
    }
  }
  say(() => Intl.ListFormat(locale))
  say(() => Intl.RelativeTimeFormat(locale))
  const amounts = [0, -0, 1, 9.96, 15, 0.00012, 0.999, 999, 999.4, 999.6, 1000, 1001, 1099, 1500, -1234, 9950, 9999, 12345, 99999, 100000, 123456, 999499, 999500, 999999, 1e6, 1234567, 2e6, 22e6, 99.9e6, 1e8, 1e9, 1.5e9, 2e9, 12345678901, 5e11, 1e12, 1.25e12, 1e14, 999999999999999, 1234567890123456, 12345678901234567, NaN]
  const compact = { notation: 'compact' }
  for (const options of [compact, { ...compact, compactDisplay: 'long' }, { ...compact, maximumFractionDigits: 1 }, { ...compact, maximumFractionDigits: 0 }, { ...compact, compactDisplay: 'long', minimumFractionDigits: 1 }, { ...compact, minimumFractionDigits: 2, maximumFractionDigits: 3 },
    { ...compact, useGrouping: false }, { ...compact, style: 'currency', currency: 'EUR' }, { ...compact, style: 'currency', currency: 'USD', compactDisplay: 'long' }, { ...compact, style: 'currency', currency: 'PLN', maximumFractionDigits: 1 },
    { ...compact, style: 'currency', currency: 'JPY' }, {}, { style: 'percent', maximumFractionDigits: 1 }, { style: 'currency', currency: 'EUR' }, { style: 'currency', currency: 'CHF' }, { notation: 'short' }, { ...compact, compactDisplay: 'tiny' }]) {
    for (const amount of amounts) say(() => brief(new Intl.NumberFormat(locale, options).formatToParts(amount)) + new Intl.NumberFormat(locale, options).format(amount))
  }
  say(() => new Intl.NumberFormat(locale, compact).format(1234567890123n))
  say(() => (2400000).toLocaleString(locale, { notation: 'compact', compactDisplay: 'long' }))
  const zones = [undefined, 'UTC', 'America/New_York', 'America/St_Johns', 'Europe/London', 'Europe/Kyiv', 'Asia/Calcutta', 'Asia/Tokyo', 'Australia/Lord_Howe', 'America/Sao_Paulo', 'Pacific/Honolulu', 'Asia/Kathmandu', 'Africa/Casablanca', 'Europe/Istanbul']
  const shapes = [{}, { hour: 'numeric' }, { hour: '2-digit', minute: '2-digit' }, { hour: 'numeric', minute: '2-digit', hour12: true }, { hour: 'numeric', minute: '2-digit', hour12: false }, { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' },
    { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric', hour: '2-digit', minute: '2-digit' }, { month: 'short', day: 'numeric', hour: 'numeric' }, { hour: 'numeric', minute: 'numeric', second: 'numeric' }]
  for (const timeZone of zones) {
    for (const at of [new Date('2026-01-15T08:05:07Z'), new Date('2026-07-15T20:00:00Z')]) {
      for (const timeZoneName of ['short', 'long', 'shortOffset', 'longOffset', 'longest']) {
        const some = timeZone === undefined || timeZone === 'Asia/Kathmandu' ? shapes : shapes.slice(0, 2)
        for (const shape of some) say(() => at.toLocaleString(locale, { ...shape, timeZone, timeZoneName }))
        say(() => at.toLocaleTimeString(locale, { timeZone, timeZoneName }))
        say(() => at.toLocaleDateString(locale, { timeZone, timeZoneName }))
      }
      for (const timeStyle of ['long', 'full']) say(() => at.toLocaleTimeString(locale, { timeStyle, timeZone }))
      say(() => at.toLocaleString(locale, { dateStyle: 'full', timeStyle: 'full', timeZone }))
      say(() => at.toLocaleTimeString(locale, { timeStyle: 'full', hour12: true, timeZone }))
      say(() => at.toLocaleString(locale, { dateStyle: 'long', timeStyle: 'long', timeZone }))
    }
  }
  say(() => brief(new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit', timeZoneName: 'short' }).formatToParts(17e11)))
  say(() => new Date(0).toLocaleString(locale, { timeZoneName: 'short' }))
  say(() => new Date(0).toLocaleString(locale, { dateStyle: 'long', timeZoneName: 'short' }))
  return lines
}
