// Rules of ECMA-262 about Date, each a name and a function that gives true where the rule is kept.
// Written from the text of the specification (21.4); test262's tests were not looked at. cases() runs anywhere.
function cases () {
  const found = []
  const rule = (name, holds) => found.push([name, holds])
  const same = Object.is
  const proto = Date.prototype
  const AT = Date.UTC(2026, 2, 28, 22, 30, 15, 250)
  const thrown = (act) => { try { act() } catch (error) { return error } return null }
  const throws = (kind, act) => { const error = thrown(act); return error !== null && error.constructor === kind }
  const isInvalid = (date) => same(date.getTime(), NaN)

  // the most arguments of each setter, and what `length` says
  const SETTERS = {
    setMilliseconds: 1, setUTCMilliseconds: 1, setSeconds: 2, setUTCSeconds: 2, setMinutes: 3, setUTCMinutes: 3,
    setHours: 4, setUTCHours: 4, setDate: 1, setUTCDate: 1, setMonth: 2, setUTCMonth: 2, setFullYear: 3, setUTCFullYear: 3,
    setTime: 1, setYear: 1
  }
  const STARTS_ANEW = ['setFullYear', 'setUTCFullYear', 'setYear', 'setTime'] // of an invalid date
  const NO_NUMBERS = { nothing: undefined, NaN: NaN, text: 'x', object: {}, list: [1, 2], plus: Infinity, minus: -Infinity }
  for (const name in SETTERS) {
    const most = SETTERS[name]
    const set = (date, ...given) => date[name](...given)
    rule(name + '.length is ' + most, () => proto[name].length === most)
    rule(name + '.name is its name', () => proto[name].name === name)
    rule(name + ' is writable, configurable and not enumerable', () => {
      const of = Object.getOwnPropertyDescriptor(proto, name)
      return of.writable && of.configurable && !of.enumerable
    })
    rule(name + ' makes nothing with new', () => throws(TypeError, () => new proto[name](1)))
    rule(name + ' of what is no Date throws, before it reads its argument', () => {
      let read = 0
      const counted = { valueOf () { read++; return 1 } }
      return [undefined, null, 0, {}, proto, Object.create(new Date(0))].every(each => throws(TypeError, () => proto[name].call(each, counted))) && read === 0
    })
    rule(name + '() without an argument makes the date invalid', () => {
      const date = new Date(AT)
      return same(set(date), NaN) && isInvalid(date)
    })
    for (const label in NO_NUMBERS) {
      for (let at = 0; at < most; at++) {
        rule(name + ' with ' + label + ' as argument ' + at + ' makes the date invalid', () => {
          const date = new Date(AT)
          const given = Array.from({ length: most }, (_, index) => index === at ? NO_NUMBERS[label] : 1)
          return same(set(date, ...given), NaN) && isInvalid(date)
        })
      }
    }
    rule(name + ' answers what the date is then', () => { const date = new Date(AT); return set(date, 3) === date.getTime() && !isInvalid(date) })
    rule(name + ' cuts fractions off', () => { const one = new Date(AT), other = new Date(AT); return set(one, 3.9) === set(other, 3) && (name === 'setYear' || set(one, -1.9) === set(other, -1)) })
    rule(name + ' takes null as 0, true as 1 and a text of digits as its number', () => {
      const times = (value) => set(new Date(AT), value)
      return times(null) === times(0) && times(true) === times(1) && times(' 7 ') === times(7)
    })
    rule(name + ' reads its arguments in their order, each once', () => {
      const order = []
      const given = Array.from({ length: most }, (_, index) => ({ valueOf () { order.push(index); return 1 } }))
      set(new Date(AT), ...given)
      return order.join() === given.map((_, index) => index).join()
    })
    rule(name + ' reads its arguments of an invalid date as well', () => {
      let read = 0
      set(new Date(NaN), ...Array.from({ length: most }, () => ({ valueOf () { read++; return 1 } })))
      return read === most
    })
    rule(name + (STARTS_ANEW.includes(name) ? ' makes an invalid date valid' : ' leaves an invalid date invalid'), () => {
      const date = new Date(NaN)
      return same(set(date, 5), date.getTime()) && isInvalid(date) !== STARTS_ANEW.includes(name)
    })
    rule(name + ': what reading an argument throws leaves the date as it was', () => {
      const date = new Date(AT)
      const error = thrown(() => set(date, { valueOf () { throw new RangeError('x') } }))
      return error instanceof RangeError && date.getTime() === AT
    })
    rule(name + ' refuses a symbol and a bigint', () => {
      const date = new Date(AT)
      return throws(TypeError, () => set(date, Symbol('x'))) && throws(TypeError, () => set(date, 1n)) && date.getTime() === AT
    })
    rule(name + ' goes by the date from before its arguments were read', () => {
      const date = new Date(AT), plain = new Date(AT)
      const answer = set(date, { valueOf () { date.setTime(0); return 3 } })
      return answer === set(plain, 3) && date.getTime() === answer
    })
    rule(name + ' passes over what is too much', () => set(new Date(AT), ...Array(most).fill(1), NaN, 9) === set(new Date(AT), ...Array(most).fill(1)))
    rule(name + ' of a date made invalid as its argument is read', () => {
      const date = new Date(AT)
      const answer = set(date, { valueOf () { date.setTime(NaN); return 3 } })
      return answer === set(new Date(AT), 3)
    })
    if (name !== 'setTime') rule(name + ' past the last instant makes the date invalid', () => { const date = new Date(8.64e15); return same(set(date, name.includes('ear') ? 275761 : 1e9), NaN) && isInvalid(date) })
  }

  for (const part of ['Milliseconds', 'Seconds', 'Minutes', 'Hours', 'Date', 'Month', 'FullYear', 'Day']) {
    for (const name of ['get' + part, 'getUTC' + part]) {
      rule(name + ' of an invalid date is NaN', () => same(new Date(NaN)[name](), NaN))
      rule(name + ' has no arguments and is of dates alone', () => proto[name].length === 0 && proto[name].name === name && throws(TypeError, () => proto[name].call({})) && throws(TypeError, () => proto[name]()))
      rule(name + ' is a whole number', () => Number.isInteger(new Date(AT)[name]()) && Number.isInteger(new Date(-1)[name]()))
    }
  }
  for (const name of ['getTime', 'valueOf', 'getTimezoneOffset', 'getYear']) {
    rule(name + ' of an invalid date is NaN, and of no date throws', () => same(new Date(NaN)[name](), NaN) && throws(TypeError, () => proto[name].call({})))
  }
  rule('setMonth keeps the day, which may fall into the next month', () => { const date = new Date(2026, 0, 31); date.setMonth(1); return date.getMonth() === 2 && date.getDate() === 3 })
  rule('setFullYear of 29 February in another year is 1 March', () => { const date = new Date(2024, 1, 29); date.setFullYear(2026); return date.getMonth() === 2 && date.getDate() === 1 })
  rule('setFullYear of an invalid date begins at 1 January, midnight', () => { const date = new Date(NaN); date.setFullYear(2026); return date.getTime() === new Date(2026, 0, 1).getTime() })
  rule('setDate(0) is the last day of the month before', () => { const date = new Date(2026, 2, 10); date.setDate(0); return date.getMonth() === 1 && date.getDate() === 28 })
  rule('setUTCHours(25, 61, 61, 1001) carries over', () => new Date(AT).setUTCHours(25, 61, 61, 1001) === Date.UTC(2026, 2, 28, 25, 61, 61, 1001))
  rule('setYear of 0 to 99 is of the last century', () => [[0, 1900], [99, 1999], [99.9, 1999], [100, 100], [-1, -1]].every(([given, year]) => { const date = new Date(AT); date.setYear(given); return date.getFullYear() === year }))
  rule('getYear counts from 1900', () => new Date(2026, 5).getYear() === 126)
  rule('setTime takes -0 as +0', () => same(new Date(1).setTime(-0), 0))

  // the constructor, and the time value
  rule('Date.length and Date.UTC.length are 7, Date.now and Date.parse 0 and 1', () => Date.length === 7 && Date.UTC.length === 7 && Date.now.length === 0 && Date.parse.length === 1)
  rule('Date() without new is a text of now', () => typeof Date() === 'string' && typeof Date(0) === 'string' && !isInvalid(new Date(Date())))
  rule('new Date() is now', () => Math.abs(new Date().getTime() - Date.now()) < 1000)
  rule('a date of what is no number is invalid', () => [undefined, NaN, Infinity, 'x', {}, [1, 2, 3, 'x']].every(each => isInvalid(new Date(each))))
  rule('new Date(null) and new Date(false) are 0, new Date(true) is 1', () => new Date(null).getTime() === 0 && new Date(false).getTime() === 0 && new Date(true).getTime() === 1)
  rule('the last instants are 100,000,000 days from 1970', () => new Date(8.64e15).getTime() === 8.64e15 && new Date(-8.64e15).getTime() === -8.64e15 && isInvalid(new Date(8.64e15 + 1)) && isInvalid(new Date(-8.64e15 - 1)))
  rule('a time is whole, and never -0', () => new Date(1.9).getTime() === 1 && new Date(-1.9).getTime() === -1 && same(new Date(-0).getTime(), 0) && same(new Date(-0.5).getTime(), 0))
  rule('new Date(date) copies its time and asks it nothing', () => { const date = new Date(AT); date.valueOf = date.toString = date[Symbol.toPrimitive] = () => 'x'; return new Date(date).getTime() === AT })
  rule('new Date(object) asks with the hint default', () => { let hint = ''; const date = new Date({ [Symbol.toPrimitive] (given) { hint = given; return 5 } }); return hint === 'default' && date.getTime() === 5 })
  rule('new Date(object) of a text reads the text', () => new Date({ toString: () => '2026-03-06T00:00:00Z', valueOf: () => ({}) }).getTime() === Date.UTC(2026, 2, 6))
  rule('new Date(symbol) and new Date(1n) throw', () => throws(TypeError, () => new Date(Symbol('x'))) && throws(TypeError, () => new Date(1n)) && throws(TypeError, () => new Date(2026, 1n)))
  rule('new Date(year, month) reads all seven in their order', () => { const order = []; const each = (at) => ({ valueOf () { order.push(at); return 1 } }); void new Date(...[0, 1, 2, 3, 4, 5, 6].map(each)); return order.join() === '0,1,2,3,4,5,6' })
  rule('years 0 to 99 are of the last century in new Date and Date.UTC', () => new Date(99, 0).getFullYear() === 1999 && new Date(0, 0).getFullYear() === 1900 && Date.UTC(70, 0) === 0 && new Date(100, 0).getFullYear() === 100 && Date.UTC(-0.5) === Date.UTC(1900))
  for (const label in NO_NUMBERS) rule('of seven arguments one that is ' + label + ' makes no date', () => [0, 1, 2, 3, 4, 5, 6].every(at => { const given = [2026, 1, 1, 1, 1, 1, 1]; given[at] = NO_NUMBERS[label]; return isInvalid(new Date(...given)) && same(Date.UTC(...given), NaN) }))
  rule('Date.UTC of the year alone is its first instant, and of nothing NaN', () => Date.UTC(2026) === 1767225600000 && same(Date.UTC(), NaN))
  rule('Date.UTC carries over, and cuts off', () => Date.UTC(2026, 12, 0, 24, 60, 60, 1000) === Date.UTC(2027, 0, 0) + 86400000 + 3600000 + 60000 + 1000 && Date.UTC(2026, 1.9, 1.9) === Date.UTC(2026, 1, 1) && Date.UTC(2026, -1) === Date.UTC(2025, 11))
  rule('Date.UTC past the last instant is NaN', () => same(Date.UTC(275760, 8, 13, 0, 0, 0, 1), NaN) && Date.UTC(275760, 8, 13) === 8.64e15)
  rule('a class of dates makes dates', () => { class Day extends Date { next () { return new Day(this.getTime() + 864e5) } } const day = new Day(AT); return day instanceof Day && day instanceof Date && day.next().getTime() === AT + 864e5 && day.constructor === Day })
  rule('Reflect.construct gives the prototype that is asked for', () => { function Other () {} const made = Reflect.construct(Date, [5], Other); return Object.getPrototypeOf(made) === Other.prototype && proto.getTime.call(made) === 5 })
  rule('Date.prototype is no date, and fixed', () => throws(TypeError, () => proto.getTime()) && proto.constructor === Date && Object.getOwnPropertyDescriptor(Date, 'prototype').writable === false)
  rule('a date says it is one', () => Object.prototype.toString.call(new Date()) === '[object Date]')
  rule('Date is found under its name, and not listed', () => { const of = Object.getOwnPropertyDescriptor(globalThis, 'Date'); return of.writable && of.configurable && !of.enumerable && Date.name === 'Date' })

  // texts
  const ISO = { '2026-03-28T22:30:15.250Z': AT, '-000001-01-01T00:00:00.000Z': Date.UTC(-1, 0, 1), '+010000-01-01T00:00:00.000Z': Date.UTC(10000, 0, 1), '+275760-09-13T00:00:00.000Z': 8.64e15, '-271821-04-20T00:00:00.000Z': -8.64e15 }
  for (const text in ISO) rule('toISOString and Date.parse of ' + text, () => new Date(ISO[text]).toISOString() === text && Date.parse(text) === ISO[text])
  rule('toISOString of a year below 1000 has four digits', () => { const date = new Date(0); date.setUTCFullYear(7); return date.toISOString() === '0007-01-01T00:00:00.000Z' })
  rule('toISOString of an invalid date throws RangeError', () => throws(RangeError, () => new Date(NaN).toISOString()))
  rule('toJSON of an invalid date is null', () => new Date(NaN).toJSON() === null && JSON.stringify([new Date(NaN)]) === '[null]')
  rule('toJSON asks whatever it is called of for toISOString', () => proto.toJSON.call({ toISOString: () => 'iso', valueOf: () => 1 }) === 'iso' && proto.toJSON.call({ valueOf: () => Infinity }) === null && throws(TypeError, () => proto.toJSON.call({ valueOf: () => 1 })) && proto.toJSON.length === 1)
  for (const name of ['toString', 'toDateString', 'toTimeString', 'toUTCString']) rule(name + ' of an invalid date is Invalid Date', () => new Date(NaN)[name]() === 'Invalid Date' && throws(TypeError, () => proto[name].call({})))
  rule('toUTCString has the form of the specification', () => new Date(AT).toUTCString() === 'Sat, 28 Mar 2026 22:30:15 GMT' && new Date(Date.UTC(-1, 0, 1)).toUTCString() === 'Fri, 01 Jan -0001 00:00:00 GMT')
  rule('toGMTString is toUTCString', () => proto.toGMTString === proto.toUTCString)
  rule('toDateString has the form of the specification', () => new Date(2026, 2, 6).toDateString() === 'Fri Mar 06 2026' && new Date(-1, 0, 1).toDateString() === 'Fri Jan 01 -0001')
  rule('toString is the day, the time and the offset', () => /^Fri Mar 06 2026 09:05:07 GMT[+-]\d{4}( \(.*\))?$/.test(new Date(2026, 2, 6, 9, 5, 7).toString()) && new Date(AT).toString() === new Date(AT).toDateString() + ' ' + new Date(AT).toTimeString())
  rule('Date.parse reads what toString, toUTCString and toISOString write', () => [AT - 250, 0, Date.UTC(1999, 11, 31)].every(time => { const date = new Date(time); return Date.parse(date.toString()) === time && Date.parse(date.toUTCString()) === time && Date.parse(date.toISOString()) === time }))
  rule('a day alone is of UTC, a day with a time of here', () => Date.parse('2026-03-06') === Date.UTC(2026, 2, 6) && Date.parse('2026-03') === Date.UTC(2026, 2) && Date.parse('2026') === Date.UTC(2026) && Date.parse('2026-03-06T09:00') === new Date(2026, 2, 6, 9).getTime())
  rule('offsets in texts count', () => Date.parse('2026-03-06T09:00:00+05:30') === Date.UTC(2026, 2, 6, 3, 30) && Date.parse('2026-03-06T09:00-08:00') === Date.UTC(2026, 2, 6, 17))
  rule('24:00 is the end of the day, and nothing is after it', () => Date.parse('2026-03-06T24:00:00Z') === Date.UTC(2026, 2, 7) && isInvalid(new Date('2026-03-06T24:00:01Z')))
  rule('texts out of their bounds are no dates', () => ['2026-13-01', '2026-00-01', '2026-01-32', '2026-01-01T25:00Z', '2026-01-01T00:60Z', '2026-01-01T00:00:60Z', '-000000-01-01T00:00:00Z', '+275760-09-13T00:00:00.001Z', ''].every(text => isInvalid(new Date(text))))
  rule('Date.parse makes a text of what it is given', () => same(Date.parse(), NaN) && Date.parse({ toString: () => '2026-03-06' }) === Date.UTC(2026, 2, 6) && throws(TypeError, () => Date.parse(Symbol('x'))))

  // Symbol.toPrimitive
  const primitive = proto[Symbol.toPrimitive]
  rule('a date in a sum is a text, in a difference a number', () => { const date = new Date(AT); return date + 1 === date.toString() + '1' && date - 1 === AT - 1 && `${date}` === date.toString() && +date === AT })
  rule('toPrimitive takes three hints and no other', () => { const date = new Date(AT); return primitive.call(date, 'number') === AT && primitive.call(date, 'string') === String(date) && primitive.call(date, 'default') === String(date) && [undefined, 'x', null, 0].every(hint => throws(TypeError, () => primitive.call(date, hint))) })
  rule('toPrimitive is of every object, and of no other value', () => primitive.call({ valueOf: () => 7 }, 'number') === 7 && throws(TypeError, () => primitive.call(1, 'number')) && throws(TypeError, () => primitive.call(undefined, 'number')))
  rule('toPrimitive has its name and length, and is not writable', () => { const of = Object.getOwnPropertyDescriptor(proto, Symbol.toPrimitive); return primitive.name === '[Symbol.toPrimitive]' && primitive.length === 1 && !of.writable && of.configurable && !of.enumerable })
  rule('there is no other enumerable property', () => Object.keys(proto).length === 0 && Object.keys(Date).length === 0 && Object.keys(new Date()).length === 0)
  return found
}

function failed () {
  const all = cases()
  const names = all.filter(([, holds]) => { try { return holds() !== true } catch (error) { return true } }).map(([name]) => name)
  return { count: all.length, failed: names }
}
