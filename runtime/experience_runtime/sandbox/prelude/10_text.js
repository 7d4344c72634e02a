// Values to JSON text, and thrown values to words. Strict text is for payloads and keys: what JSON cannot
// carry is named by its path. Loose text is for logs: it always succeeds.
(function (kit) {
  'use strict'
  const DEEPEST = 200
  const MOST_LOST = 10 // of a text are named
  const LONGEST = 2 * 1024 * 1024 // characters of one strict text; the host refuses far less

  function Unfit (path, what) {
    this.path = path
    this.what = what
  }
  kit.setPrototype(Unfit.prototype, null)

  const IDENTIFIER = /^[A-Za-z_$][\w$]*$/

  // `place` is where a value stands: {name, up, value, inArray}; its path is spelled out only when it is refused.
  function pathOf (place) {
    let path = ''
    for (; place.up !== null; place = place.up) {
      if (place.up.inArray) path = '[' + place.name + ']' + path
      else if (kit.matches(IDENTIFIER, place.name)) path = '.' + place.name + path
      else path = '[' + kit.quote(place.name) + ']' + path
    }
    return place.name + path
  }

  const at = (name, up, value) => ({ __proto__: null, name: name, up: up, value: value, inArray: false, depth: up === null ? 0 : up.depth + 1 })

  function write (place, budget, loose) {
    const value = place.value
    switch (typeof value) {
      case 'string':
        if (value.length > budget.left) unfit(place, 'too large') // before it is written out
        return spend(kit.quote(value), place, budget)
      case 'boolean': return spend(value ? 'true' : 'false', place, budget)
      case 'number':
        if (kit.isFinite(value)) return spend(kit.numberText(value), place, budget)
        return loose ? '"' + kit.numberText(value) + '"' : unfit(place, kit.numberText(value))
      case 'undefined': return loose || place.depth > 0 ? undefined : unfit(place, 'undefined')
      case 'bigint': return loose ? '"' + kit.String(value) + 'n"' : unfit(place, 'a BigInt')
      case 'symbol': return loose ? '"[Symbol]"' : unfit(place, 'a Symbol')
      case 'function': return loose ? '"[Function]"' : unfit(place, 'a function')
    }
    if (value === null) return spend('null', place, budget)
    for (let above = place.up; above !== null; above = above.up) {
      if (above.value === value) return loose ? '"[Circular]"' : unfit(place, 'a cycle')
    }
    if (place.depth > DEEPEST) return loose ? '"[…]"' : unfit(place, 'nested deeper than ' + DEEPEST + ' levels')
    if (loose && kit.isError(value)) return kit.quote(kit.describe(value).text)
    const toJSON = hasToJSON(value) ? value.toJSON : undefined
    if (typeof toJSON === 'function') {
      const replaced = kit.apply(toJSON, value, [place.name])
      if (replaced === null && kit.prototypeOf(value) === kit.Date.prototype) return loose ? '"Invalid Date"' : unfit(place, 'an invalid Date')
      if (replaced !== value) {
        const stand = at(place.name, place.up, replaced)
        stand.depth = place.depth + 1 // a toJSON that answers with another toJSON ends at the depth limit
        return write(stand, budget, loose)
      }
    }
    return kit.isArray(value) ? writeItems(place, budget, loose) : writeMembers(place, budget, loose)
  }

  // A Date has one; what somebody hung on all objects or all arrays is not this value's own.
  function hasToJSON (value) {
    for (let holder = value; holder !== null && holder !== kit.objectPrototype && holder !== kit.arrayPrototype; holder = kit.prototypeOf(holder)) {
      if (kit.descriptor(holder, 'toJSON') !== undefined) return true
    }
    return false
  }

  function writeItems (place, budget, loose) {
    const value = place.value
    const length = value.length
    spend('[', place, budget)
    if (length > budget.left) unfit(place, 'too large')
    let text = ''
    place.inArray = true
    for (let index = 0; index < length; index++) {
      const part = write(at(kit.numberText(index), place, value[index]), budget, loose)
      text += (index === 0 ? '' : ',') + (part === undefined ? spend('null', place, budget) : part)
    }
    return '[' + text + ']'
  }

  function writeMembers (place, budget, loose) {
    const value = place.value
    const names = kit.keys(value)
    if (!loose && names.length === 0) lose(place, budget)
    spend('{', place, budget)
    let text = ''
    for (let index = 0; index < names.length; index++) {
      const name = names[index]
      const part = write(at(name, place, value[name]), budget, loose)
      if (part !== undefined) text += (text === '' ? '' : ',') + spend(kit.quote(name), place, budget) + ':' + part
    }
    return '{' + text + '}'
  }

  // What has no members of its own and yet holds something: it goes out as {}. The first few are named.
  function lose (place, budget) {
    const what = lostName(place.value)
    if (what === '') return
    if (budget.lostCount < MOST_LOST) {
      budget.lost += (budget.lostCount === 0 ? '' : ',') + '{"path":' + kit.quote(kit.slice(pathOf(place), 0, 200)) + ',"what":"' + what + '"}'
    }
    budget.lostCount += 1
  }

  const LOST = [
    [kit.promisePrototype, 'Promise'], [kit.Map.prototype, 'Map'], [kit.Set.prototype, 'Set'], [WeakMap.prototype, 'WeakMap'],
    [WeakSet.prototype, 'WeakSet'], [RegExp.prototype, 'RegExp'], [ArrayBuffer.prototype, 'ArrayBuffer']
  ]
  function lostName (value) {
    const proto = kit.prototypeOf(value)
    for (let index = 0; index < LOST.length; index++) {
      if (LOST[index][0] === proto) return LOST[index][1]
    }
    return kit.isError(value) ? 'Error' : ''
  }

  function unfit (place, what) {
    throw new Unfit(pathOf(place), what)
  }

  function spend (text, place, budget) {
    budget.left -= text.length + 1
    if (budget.left < 0) unfit(place, 'too large')
    return text
  }

  // -> {text, lost: JSON of [{path, what}], lostCount} or {path, what}: never throws for what the value is; a getter's own exception is named too
  kit.strictText = function (value, path) {
    const budget = { __proto__: null, left: LONGEST, lost: '', lostCount: 0 }
    try {
      const text = write(at(path, null, value), budget, false)
      return kit.record(text === undefined ? { path: path, what: 'undefined' } : { text: text, lost: budget.lost, lostCount: budget.lostCount })
    } catch (thrown) {
      if (kit.isUnfit(thrown)) return kit.record({ path: thrown.path, what: thrown.what })
      return kit.record({ path: path, what: 'unreadable: ' + kit.describe(thrown).text })
    }
  }
  kit.isUnfit = (thrown) => typeof thrown === 'object' && thrown !== null && kit.prototypeOf(thrown) === Unfit.prototype

  kit.looseText = function (value) {
    try {
      const text = write(at('', null, value), { __proto__: null, left: 16384 }, true)
      return text === undefined ? 'null' : text
    } catch (thrown) {
      return kit.isUnfit(thrown) ? '"[too large]"' : '"[unreadable]"'
    }
  }

  // One word of a log line.
  kit.word = function (value) {
    if (typeof value === 'string') return value
    if (value === undefined) return 'undefined'
    if (typeof value === 'object' && value !== null && kit.isError(value)) return kit.describe(value).text
    if (typeof value === 'function') return '[Function]'
    const text = kit.looseText(value)
    return text[0] === '"' && typeof value !== 'object' ? kit.parse(text) : text
  }
})
