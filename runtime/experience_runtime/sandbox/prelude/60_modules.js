// CommonJS: the author's files as modules. The worker compiles them, once for many runs.
(function (kit) {
  'use strict'
  const modules = kit.create(null) // './utils' -> {kind: 'code' | 'json' | 'alias', value: function, text or name}
  const loaded = kit.create(null)
  const MOST_TOLD = 20

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

  // `names` are given by an import, which is to end where a name is not exported.
  const require = function require (name, names) {
    const brought = bring(name)
    if (names !== undefined && kit.isArray(names)) for (let at = 0; at < names.length; at++) need(name, brought, names[at])
    return brought
  }

  function need (asked, brought, name) {
    const isObject = (typeof brought === 'object' && brought !== null) || typeof brought === 'function'
    const isModule = isObject && brought.__esModule
    if (typeof name !== 'string' || (isObject && name in brought) || (name === 'default' && !isModule)) return
    let known = ''
    const all = isObject ? kit.keys(brought) : []
    for (let at = 0; at < all.length && at < MOST_TOLD; at++) known += (at === 0 ? '' : ', ') + kit.slice(all[at], 0, 100)
    throw new kit.Error(asked + ' exports no ' + kit.slice(name, 0, 100) + '; it exports ' + (known === '' ? 'nothing' : known))
  }

  function bring (name) {
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
