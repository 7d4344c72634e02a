// Dates as locales write them: Intl.DateTimeFormat and the toLocale… methods of Date.
(function (kit) {
  'use strict'
  const { locale, dataOf, asObject, letter, refuseOthers, refuse, shown, lower, own, getter, part } = kit.texts
  const RealDate = kit.Date
  const proto = RealDate.prototype
  const getTime = kit.method(proto.getTime)

  const NUMBERS = kit.record({ numeric: 'n', '2-digit': '2' })
  const MONTHS = kit.record({ numeric: 'n', '2-digit': '2', short: 's', long: 'l' })
  const WEEKDAYS = kit.record({ short: 's', long: 'l' })
  const DATE_STYLES = kit.record({ full: 'F', long: 'L', medium: 'M', short: 'S' })
  const TIME_STYLES = kit.record({ full: 'F', long: 'L', medium: 'M', short: 'S' })
  const ERAS = kit.record({ short: ' {X}' })
  const ZONE_NAMES = kit.record({ short: 'zs', long: 'zn', shortOffset: 'zo', longOffset: 'zl' })
  const OTHERS = kit.record({
    dayPeriod: undefined, fractionalSecondDigits: undefined, hourCycle: undefined, calendar: 'gregory', numberingSystem: 'latn'
  })

  const NUMBERS_ALONE = /^-n[n2][n2]$/

  function zoneOf (options) {
    const zone = options.timeZone
    if (zone === undefined) return kit.zoneName
    const written = typeof zone === 'string' ? lower(zone) : ''
    if (written === lower(kit.zoneName)) return kit.zoneName
    if (written === 'utc' || written === 'etc/utc' || written === 'gmt') return 'UTC'
    const other = kit.otherZone(written)
    if (other !== null) return other[0]
    return refuse('timeZone ' + shown(zone) + ' is not known in this run, which knows the zones that stand in its code or data by their whole names, ' +
      'such as "Asia/Tokyo"; leave it out for the visitor\'s own (' + kit.zoneName + '), or write "UTC"')
  }

  // `needed` and `filled` are 'date', 'time' or 'any' and 'all', as in the language's own ToDateTimeOptions.
  function dateFormat (locales, given, needed, filled) {
    const name = locale(locales)
    const options = asObject(given)
    refuseOthers(options, OTHERS)
    const weekday = letter(options, 'weekday', WEEKDAYS)
    const year = letter(options, 'year', NUMBERS)
    const month = letter(options, 'month', MONTHS)
    const day = letter(options, 'day', NUMBERS)
    let hour = letter(options, 'hour', NUMBERS)
    const minute = letter(options, 'minute', NUMBERS)
    const second = letter(options, 'second', NUMBERS)
    const dateStyle = letter(options, 'dateStyle', DATE_STYLES)
    const timeStyle = letter(options, 'timeStyle', TIME_STYLES)
    const zoneName = letter(options, 'timeZoneName', ZONE_NAMES)
    const era = letter(options, 'era', ERAS)
    const cycle = options.hour12 === undefined ? '' : options.hour12 ? '1' : '0'
    const zone = zoneOf(options)
    const date = weekday + year + month + day
    const time = hour + minute + second
    const styles = dateStyle + timeStyle
    if (styles !== '') {
      if (date + time + zoneName + era !== '') throw new kit.TypeError('dateStyle and timeStyle stand alone; leave out weekday, year, month, day, hour, minute, second, timeZoneName and era')
      if ((needed === 'date' && timeStyle !== '') || (needed === 'time' && dateStyle !== '')) {
        throw new kit.TypeError((needed === 'date' ? 'timeStyle' : 'dateStyle') + ' does not go with a ' + needed + '; use toLocaleString')
      }
      return made(name, zone, dateStyle, timeStyle === '' ? '' : timeStyle + cycle, timeStyle === 'L' ? 'zs' : timeStyle === 'F' ? 'zn' : '', '')
    }
    const isEmpty = (needed === 'time' || date === '') && (needed === 'date' || time === '')
    let dateKey = date === '' ? '' : (weekday || '-') + (year || '-') + (month || '-') + (day || '-')
    let parts = (minute === '' ? '' : minute === 'n' ? 'o' : 'm') + (second === '' ? '' : second === 'n' ? 'p' : 's')
    if (isEmpty && filled !== 'time') dateKey = (weekday || '-') + 'nnn'
    if (isEmpty && filled !== 'date') {
      hour = hour || 'n'
      parts = 'op'
    }
    if (era !== '' && (name !== 'en-US' || !kit.matches(NUMBERS_ALONE, dateKey))) {
      refuse('era is supported for en-US with a year, month and day in numbers alone; leave it out')
    }
    return made(name, zone, dateKey, hour + parts === '' ? '' : hour + parts + cycle, zoneName, era)
  }

  function made (name, zone, dateKey, timeKey, zoneName, era) {
    const data = dataOf(name)
    const date = dateKey === '' ? '' : data.d[dateKey] === undefined ? undefined : data.d[dateKey] + era
    let time = timeKey === '' ? '' : data.t[timeKey]
    if (zoneName !== '' && time !== undefined && kit.indexOf(time, '{Z}') < 0) {
      const named = data.t[timeKey + zoneName]
      time = timeKey === '' ? '{Z}' : named === undefined ? time + ' {Z}' : named || undefined
    }
    const glue = dateKey === '' || time === '' ? '' : data.g[dateKey] === undefined ? data.glue : data.g[dateKey]
    if (date === undefined || time === undefined || glue === null) {
      refuse('this combination of date and time options is not supported for ' + name + '; write fewer, or dateStyle and timeStyle')
    }
    return kit.record({ locale: name, zone: zone, zoneName: zoneName, names: data.names, pattern: date + glue + time })
  }

  // '+1', '-3:30', '+05:45' as the locale writes it
  function offsetText (format, minutes) {
    const how = kit.words('offset', format.locale)
    const isLong = format.zoneName === 'zl' || format.zoneName === 'zn'
    if (minutes === 0) return isLong ? how[4] : how[3]
    const ahead = minutes < 0 ? -minutes : minutes
    const rest = ahead % 60
    const hours = (ahead - rest) / 60
    return how[0] + (minutes < 0 ? how[1] : '+') + (isLong ? two(hours) : hours) + (isLong || rest !== 0 ? how[2] + two(rest) : '')
  }

  const NAMED_UNTIL = 2038
  function zoneText (format, minutes, time) {
    const isLong = format.zoneName === 'zn'
    if (!isLong && format.zoneName !== 'zs') return offsetText(format, minutes)
    const asked = 'timeZoneName ' + (isLong ? '"long"' : '"short"')
    const since = kit.zoneNamedSince(format.zone)
    if (since === null) refuse(asked + ' is not supported for ' + format.zone + ', whose names change; write "shortOffset" or "longOffset"')
    if (time < RealDate.UTC(since, 0) || time >= RealDate.UTC(NAMED_UNTIL, 0)) {
      refuse(asked + ' is not supported for ' + format.zone + ' before ' + since + ' and after ' + (NAMED_UNTIL - 1) + '; write "shortOffset" or "longOffset"')
    }
    const named = kit.nameOfZone(isLong, format.locale, format.zone, minutes)
    return named === undefined ? offsetText(format, minutes) : named
  }

  const field = (name) => kit.method(proto['getUTC' + name])
  const yearOf = field('FullYear')
  const monthOf = field('Month')
  const dayOf = field('Date')
  const weekdayOf = field('Day')
  const hourOf = field('Hours')
  const minuteOf = field('Minutes')
  const secondOf = field('Seconds')
  const two = (number) => (number < 10 ? '0' : '') + number
  const TYPES = kit.record({
    y: 'year', z: 'year', M: 'month', N: 'month', A: 'month', B: 'month', C: 'month', D: 'month', d: 'day', e: 'day',
    E: 'weekday', F: 'weekday', G: 'weekday', H: 'weekday', h: 'hour', i: 'hour', j: 'hour', k: 'hour', q: 'hour', r: 'hour',
    m: 'minute', u: 'minute', s: 'second', v: 'second', P: 'dayPeriod', Z: 'timeZoneName', X: 'era'
  })

  function token (mark, date, format, time) {
    const names = format.names
    switch (mark) {
      case 'Z': return zoneText(format, (getTime(date) - time) / 60000, time)
      case 'X': return yearOf(date) > 0 ? 'AD' : refuse('era is supported from the year 1 on')
      case 'y': return '' + yearOf(date)
      case 'z': return two(yearOf(date) % 100)
      case 'M': return '' + (monthOf(date) + 1)
      case 'N': return two(monthOf(date) + 1)
      case 'd': return '' + dayOf(date)
      case 'e': return two(dayOf(date))
      case 'h': return '' + (hourOf(date) % 12 || 12)
      case 'i': return two(hourOf(date) % 12 || 12)
      case 'j': return '' + hourOf(date)
      case 'k': return two(hourOf(date))
      case 'q': return two(hourOf(date) || 24)
      case 'r': return '' + hourOf(date) % 12
      case 'm': return two(minuteOf(date))
      case 's': return two(secondOf(date))
      case 'u': return '' + minuteOf(date)
      case 'v': return '' + secondOf(date)
      case 'P': return names.P[hourOf(date) < 12 ? 0 : 1]
      case 'E': case 'F': case 'G': case 'H': return names[mark][weekdayOf(date)]
      default: return names[mark][monthOf(date)]
    }
  }

  function inZone (zone, time) {
    if (zone === kit.zoneName) return kit.shifted(time)
    const other = kit.otherZone(lower(zone))
    return other === null ? new RealDate(time) : kit.shiftedTo(time, other)
  }

  // tell(type, text) each part of a date in its order
  function eachPart (format, time, tell) {
    if (time !== time) refuse('Invalid time value')
    const date = inZone(format.zone, time)
    const pattern = format.pattern
    let literal = ''
    for (let at = 0; at < pattern.length; at++) {
      if (pattern[at] !== '{') {
        literal += pattern[at]
        continue
      }
      if (literal !== '') tell('literal', literal)
      literal = ''
      tell(TYPES[pattern[at + 1]], token(pattern[at + 1], date, format, time))
      at += 2
    }
    if (literal !== '') tell('literal', literal)
  }

  function dateText (format, time) {
    let text = ''
    eachPart(format, time, (type, part) => {
      // as browsers do: a whole text has plain spaces, its parts have those of the locale
      for (let at = 0; at < part.length; at++) text += part[at] === '\u202f' ? ' ' : part[at]
    })
    return text
  }

  function onDates (name, needed, filled) {
    const fn = kit.record({ [name] (locales, options) {
      const time = getTime(this)
      return time !== time ? 'Invalid Date' : dateText(dateFormat(locales, options, needed, filled), time)
    } })[name]
    kit.define(fn, 'length', { __proto__: null, value: 0, configurable: true })
    kit.override(name, fn)
  }
  onDates('toLocaleString', 'any', 'all')
  onDates('toLocaleDateString', 'date', 'date')
  onDates('toLocaleTimeString', 'time', 'time')

  const dates = part('DateTimeFormat', (locales, options) => dateFormat(locales, options, 'any', 'date'))
  const instant = (date) => date === undefined ? kit.now : kit.Number(date)
  getter(dates, 'format', function () {
    const format = own(this, 'DateTimeFormat')
    return (date) => dateText(format, instant(date))
  })
  kit.hidden(dates, 'formatToParts', function formatToParts (date) {
    const parts = []
    eachPart(own(this, 'DateTimeFormat'), instant(date), (type, value) => kit.push(parts, { type: type, value: value }))
    return parts
  })
  kit.hidden(dates, 'resolvedOptions', function resolvedOptions () {
    const format = own(this, 'DateTimeFormat')
    return { locale: format.locale, calendar: 'gregory', numberingSystem: 'latn', timeZone: format.zone }
  })
})
