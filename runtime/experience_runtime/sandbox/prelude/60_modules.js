// CommonJS: the author's files as modules. The worker compiles them, once for many runs.
(function (kit) {
  'use strict'
  const modules = kit.create(null) // './utils' -> {kind: 'code' | 'json' | 'alias', value: function, text or name}
  const loaded = kit.create(null)

  kit.setModule = function (name, kind, value) {
    modules[name] = { __proto__: null, kind: kind, value: value }
  }

  kit.load = function (asked) {
    const name = modules[asked].kind === 'alias' ? modules[asked].value : asked
    if (loaded[name] !== undefined) return loaded[name].exports
    const module = { exports: {} }
    loaded[name] = module
    try {
      if (modules[name].kind === 'json') module.exports = parsed(name)
      else kit.apply(modules[name].value, module.exports, [module, module.exports, require])
    } catch (thrown) {
      delete loaded[name]
      throw thrown
    }
    return module.exports
  }

  // What triggers or variation are: also the default of an ES module, as compilers and bundlers write one.
  kit.entry = function (asked) {
    const exported = kit.load(asked)
    if (typeof exported !== 'object' || exported === null) return exported
    const inner = exported.default
    return typeof inner === 'function' ? inner : exported
  }

  function parsed (name) {
    try {
      return kit.parse(modules[name].value)
    } catch (thrown) {
      throw new kit.SyntaxError(name + ' is not JSON: ' + thrown.message)
    }
  }

  const isLocal = (name) => kit.slice(name, 0, 2) === './'

  const require = function require (name) {
    if (typeof name === 'string' && isLocal(name)) {
      if (modules[name] !== undefined) return kit.load(name)
      if (modules[name + '.json'] !== undefined) return kit.load(name + '.json')
      const bare = kit.slice(name, -3) === '.js' ? kit.slice(name, 0, -3) : name
      if (modules[bare] !== undefined && modules[bare].kind !== 'json') return kit.load(bare)
    }
    return kit.shim(name, modules)
  }
  // A script has no other way to it.
  kit.giveRequire = () => kit.hidden(kit.global, 'require', require)
})
