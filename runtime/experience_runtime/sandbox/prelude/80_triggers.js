// Triggers: ask whether the variation runs. Source: reference/triggers#what-triggers-answer
(function (kit) {
  'use strict'
  const isYes = (value) => value === undefined || !!value

  // decide(verdict) is called once, with true or false; or fail(thrown)
  kit.runTriggers = function runTriggers (triggers, options, decide, fail) {
    let decided = false
    const once = (tell) => (value) => {
      if (decided) return
      decided = true
      tell(value)
    }
    const settle = once(decide)
    const refuse = once(fail)
    let returned = false
    let answer = null // what cb said: what is returned may win over it
    const callback = function callback (value) {
      if (answer === null) answer = { __proto__: null, yes: isYes(value) }
      if (returned) settle(answer.yes)
    }
    try {
      const result = parameters(triggers) === 1
        ? kit.apply(triggers, undefined, [carrying(callback, options)])
        : kit.apply(triggers, undefined, [options, callback])
      returned = true
      if (result === true || result === false) return settle(result)
      if (typeof result === 'object' && result !== null && typeof result.then === 'function') {
        return follow(result, () => answer === null || answer.yes, settle, refuse)
      }
      if (typeof result === 'object' && result !== null) kit.hooks.keep('triggers', result)
      if (answer !== null) settle(answer.yes)
    } catch (thrown) {
      refuse(thrown)
    }
  }

  async function follow (promise, otherwise, settle, refuse) {
    try {
      const value = await promise
      if (value === undefined) return settle(otherwise())
      const isObject = typeof value === 'object' && value !== null
      if (isObject) kit.hooks.keep('triggers', value)
      settle(isObject && value.execute !== undefined ? !!value.execute : isYes(value))
    } catch (thrown) {
      refuse(thrown)
    }
  }

  function carrying (callback, options) {
    const names = kit.keys(options)
    for (let index = 0; index < names.length; index++) kit.define(callback, names[index], kit.descriptor(options, names[index]))
    return callback
  }

  // Declared parameters: a default value does not lower the count, as `length` would.
  function parameters (fn) {
    if (fn.length > 1) return fn.length
    const source = kit.sourceOf(fn)
    const open = kit.indexOf(source, '(')
    const arrow = kit.indexOf(source, '=>')
    if (open < 0 || (arrow >= 0 && arrow < open)) return 1 // x => …
    let depth = 0
    let count = 0
    let inside = false
    for (let at = open + 1; at < source.length; at++) {
      const mark = source[at]
      if (depth === 0 && kit.slice(source, at, at + 3) === '...') return 2 // the rest: all there is
      if (mark === '\'' || mark === '"' || mark === '`') {
        const quoteMark = mark
        for (at++; at < source.length && source[at] !== quoteMark; at++) if (source[at] === '\\') at++
        inside = true
      } else if (mark === '/' && source[at + 1] === '*') {
        at = kit.indexOf(source, '*/', at) + 1
      } else if (mark === '/' && source[at + 1] === '/') {
        at = kit.indexOf(source, '\n', at)
      } else if (mark === '(' || mark === '[' || mark === '{') {
        depth++
        inside = true
      } else if (mark === ')' && depth === 0) {
        return inside ? count + 1 : count
      } else if (mark === ')' || mark === ']' || mark === '}') {
        depth--
      } else if (mark === ',' && depth === 0) {
        count++
        inside = false
      } else if (mark !== ' ' && mark !== '\n' && mark !== '\t' && mark !== '\r') {
        inside = true
      }
    }
    return fn.length
  }
})
