// What the suite expects around it, in the guest: CommonJS with the suite's files in `FILES`, mocha's describe and
// specify, as much of assert and sinon as the suite names. Timers and promises are the sandbox's own.
const tests = []
const groups = [] // the describes under way, outermost first
const late = [] // tests that called `done` again after their end
let failNow = null

globalThis.global = globalThis
global.describe = function describe (title, body) {
  groups.push({ title, before: [], after: [] })
  body()
  groups.pop()
}
global.specify = global.it = function specify (title, body) {
  tests.push({ title: groups.map((group) => group.title).concat(title).join(' '), body, groups: groups.slice() })
}
global.beforeEach = (hook) => { groups[groups.length - 1].before.push(hook) }
global.afterEach = (hook) => { groups[groups.length - 1].after.push(hook) }

// What a timer's callback throws fails the test under way, as an uncaught exception does in mocha.
const hostSetTimeout = setTimeout
global.setTimeout = (fn, delay) => hostSetTimeout(() => {
  try {
    fn()
  } catch (error) {
    failNow(error)
  }
}, delay)

global.adapter = ADAPTER

function assert (value, message) {
  if (!value) throw new Error(message || 'expected a truthy value')
}
assert.strictEqual = (actual, expected) => assert(actual === expected, 'the two values differ')
assert.notStrictEqual = (actual, expected) => assert(actual !== expected, 'the two values are the same')

const matchers = new Set()
let spyCalls = 0
function spy (behave = () => {}) {
  const double = function (...args) {
    double.calls.push({ args, order: ++spyCalls })
    return behave()
  }
  double.calls = []
  double.returns = (value) => { behave = () => value; return double }
  double.throws = (error) => { behave = () => { throw error }; return double }
  return double
}
function isGiven (args, wanted) {
  return wanted.every((each, index) => matchers.has(each) ? each.test(args[index]) : args[index] === each)
}
const sinon = {
  spy,
  stub: () => spy(),
  match: {
    same (value) {
      const matcher = { test: (actual) => actual === value }
      matchers.add(matcher)
      return matcher
    }
  },
  assert: {
    notCalled: (double) => assert(double.calls.length === 0, 'it was called'),
    calledWith: (double, ...wanted) => assert(double.calls.some((call) => isGiven(call.args, wanted)), 'never so called'),
    // each was called, and one after the other
    callOrder (...doubles) {
      const orders = doubles.map((double) => double.calls.length === 0 ? NaN : double.calls[0].order)
      assert(orders.every((order, index) => index === 0 ? order > 0 : order > orders[index - 1]), 'called in another order')
    }
  }
}

const builtIn = { assert, sinon }
const loaded = {}
function load (name) {
  if (builtIn[name] !== undefined) return builtIn[name]
  const path = name.replace(/^\.\//, '')
  if (loaded[path] === undefined) {
    const module = loaded[path] = { exports: {} }
    FILES[path](module, module.exports, load)
  }
  return loaded[path].exports
}

async function take ({ title, body, groups }) {
  for (const group of groups) group.before.forEach((hook) => hook())
  const outcome = await settled(body, title)
  for (const group of groups) group.after.forEach((hook) => hook())
  return outcome
}

// A test has mocha's 200 ms to call `done`, once; one that declares no `done` has passed when it returns.
function settled (body, title) {
  return new Promise((resolve) => {
    const timer = hostSetTimeout(() => resolve('timed out after 200 ms'), 200)
    let isOver = false
    const end = (outcome) => {
      isOver = true
      clearTimeout(timer)
      resolve(outcome)
    }
    failNow = (error) => end(String(error))
    let calls = 0
    const done = (error) => {
      calls += 1
      if (isOver) late.push(title)
      else if (calls > 1) end('done was called more than once')
      // a second call comes in the same moment, if it comes
      else hostSetTimeout(() => end(error ? String(error) : 'passed'), 0)
    }
    try {
      body(done)
      if (body.length === 0) done()
    } catch (error) {
      failNow(error)
    }
  })
}

module.exports = async function variation (options) {
  load(ENTRY)
  for (const test of tests) options.log.info(test.title, { outcome: await take(test) })
  for (const title of late) options.log.info(title, { outcome: 'done was called again after its end' })
}
