// What a locale makes of dates and numbers, told in lines that any right engine says alike; `refused` where it will not.
function told (locale) {
  const lines = []
  const say = act => {
    try { lines.push(act()) } catch (error) { lines.push(error instanceof RangeError || error instanceof TypeError ? 'refused' : 'threw ' + error) }
  }
  const instants = ['2026-03-09T08:05:07Z', '2026-12-31T23:30:00Z', '1999-08-01T00:00:59Z', '2026-10-25T01:15:00Z', '2026-05-20T12:00:00Z', '2024-02-29T11:59:59Z'].map(each => new Date(each))
  const dates = [
    {}, { dateStyle: 'full' }, { dateStyle: 'long' }, { dateStyle: 'medium' }, { dateStyle: 'short' }, { weekday: 'long' }, { weekday: 'short' },
    { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' }, { weekday: 'short', day: 'numeric', month: 'short' },
    { year: 'numeric', month: 'long' }, { month: 'long', day: 'numeric' }, { month: 'long' }, { month: 'short' }, { month: 'short', day: '2-digit', year: 'numeric' },
    { year: 'numeric', month: '2-digit', day: '2-digit' }, { year: '2-digit', month: 'numeric', day: 'numeric' }, { day: 'numeric' }, { year: 'numeric' },
    { weekday: 'long', day: 'numeric' }, { timeZone: 'UTC' }, { dateStyle: 'medium', timeZone: 'UTC' }
  ]
  const times = [
    {}, { timeStyle: 'short' }, { timeStyle: 'medium' }, { hour: 'numeric' }, { hour: '2-digit', minute: '2-digit' }, { hour: 'numeric', minute: '2-digit' },
    { hour: 'numeric', minute: '2-digit', second: '2-digit' }, { hour: '2-digit', minute: '2-digit', hour12: false }, { hour: 'numeric', minute: '2-digit', hour12: true },
    { hour12: false }, { hour: 'numeric', minute: 'numeric' }, { hour: 'numeric', minute: 'numeric', second: 'numeric' }, { timeZone: 'UTC', timeStyle: 'short' }
  ]
  const both = [{}, { dateStyle: 'full', timeStyle: 'short' }, { dateStyle: 'medium', timeStyle: 'medium' }, { dateStyle: 'short', timeStyle: 'short' },
    { weekday: 'long', day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' }, { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' }]
  for (const date of instants) {
    for (const options of dates) say(() => date.toLocaleDateString(locale, options))
    for (const options of times) say(() => date.toLocaleTimeString(locale, options))
    for (const options of both) say(() => date.toLocaleString(locale, options))
    say(() => new Intl.DateTimeFormat(locale, { dateStyle: 'long' }).format(date))
    say(() => JSON.stringify(new Intl.DateTimeFormat([locale], dates[7]).formatToParts(date)))
    say(() => date.toLocaleDateString(locale, { timeStyle: 'short' }))
    say(() => date.toLocaleDateString(locale, { month: 'longest' }))
  }
  const numbers = [0, -0, 1, -1, 7, 1234, -1234.5, 12345.678, 999999.9995, 0.1 + 0.2, 1.005, 2.5, 0.0005, 0.00049, 1e15 + 0.3, 1e21, 123456789012345680000, NaN, Infinity, -Infinity, 1e-7]
  const styles = [
    undefined, {}, { minimumFractionDigits: 2 }, { maximumFractionDigits: 0 }, { maximumFractionDigits: 2 }, { minimumFractionDigits: 1, maximumFractionDigits: 1 }, { useGrouping: false },
    { useGrouping: true }, { minimumIntegerDigits: 3 }, { style: 'percent' }, { style: 'percent', maximumFractionDigits: 2 }, { style: 'currency', currency: 'EUR' }, { style: 'currency', currency: 'USD' },
    { style: 'currency', currency: 'gbp' }, { style: 'currency', currency: 'JPY' }, { style: 'currency', currency: 'SEK' }, { style: 'currency', currency: 'PLN' }, { style: 'currency', currency: 'CHF', maximumFractionDigits: 0 },
    { style: 'currency' }, { style: 'nothing' }, { minimumFractionDigits: 101 }, { minimumFractionDigits: 3, maximumFractionDigits: 1 }
  ]
  for (const number of numbers) {
    for (const options of styles) say(() => number.toLocaleString(locale, options))
    say(() => new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(number))
  }
  for (const text of ['istanbul IĞDIR', '\u0130I\u0307\u0131', 'straße ﬁ', 'ΑΣ']) {
    for (const other of [locale, 'az', 'tr', undefined]) say(() => text.toLocaleUpperCase(other) + text.toLocaleLowerCase(other))
  }
  say(() => (12345678901234567890n).toLocaleString(locale))
  say(() => new Intl.NumberFormat(locale).format(-5000n))
  return lines
}
