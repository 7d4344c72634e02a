// A thrown value in words. Reading it may run hostile code, so the phase tells whoever finds this run interrupted
// that the author's value was at fault.
(function (kit) {
  'use strict'
  return function describe (thrown) {
    const before = kit.phase
    kit.phase = 'describing'
    const found = kit.record({ text: '', stack: '', code: '' })
    try {
      if (typeof thrown === 'object' && thrown !== null && thrown instanceof kit.Error) {
        const name = thrown.name
        const message = thrown.message
        found.text = (typeof name === 'string' ? kit.slice(name, 0, 100) : 'Error') +
          (typeof message === 'string' && message !== '' ? ': ' + kit.slice(message, 0, 4096) : '')
        const stack = kit.stackOf(thrown)
        if (typeof stack === 'string') found.stack = kit.slice(stack, 0, 8192)
        const code = thrown.code
        if (typeof code === 'string') found.code = kit.slice(code, 0, 100)
      } else if (typeof thrown === 'object' && thrown !== null) {
        found.text = kit.slice(kit.looseText(thrown), 0, 4096)
      } else {
        found.text = typeof thrown === 'symbol' ? 'a Symbol' : kit.slice(kit.word(thrown), 0, 4096)
      }
    } catch (again) {
      found.text = 'a value that cannot be read'
    }
    kit.phase = before
    return found
  }
})
