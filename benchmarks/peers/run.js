// One contestant in node: a fresh `vm` context for every run. Speaks as run.py does.
'use strict'
const { readFileSync } = require('node:fs')
const { createInterface } = require('node:readline')
const path = require('node:path')
const vm = require('node:vm')

const stub = readFileSync(path.join(__dirname, 'stub.js'), 'utf8')
const wrapped = 'host.start(function (module, exports) {' + readFileSync(process.argv[2], 'utf8') + '\n})'
const immediate = () => new Promise((resolve) => setImmediate(resolve)) // every microtask is done by then

async function runOnce () {
  const context = vm.createContext({})
  const run = (text) => vm.runInContext(text, context)
  run(stub)
  run(wrapped)
  await immediate()
  const asked = JSON.parse(run('host.collect()'))
  const answers = asked.outbox.filter((item) => item.kind === 'call')
    .map((call) => ({ id: call.id, result: { id: 'exe_1', replaced: null } }))
  run('host.deliver(' + JSON.stringify(JSON.stringify(answers)) + ')')
  await immediate()
  const told = JSON.parse(run('host.collect()'))
  const line = told.outbox.length === 1 ? told.outbox[0] : {}
  if (answers.length !== 3 || told.outcome !== 'done' || line.metadata.count !== 3 || line.metadata.hour !== 9) {
    throw new Error('the variation did not do its work: ' + JSON.stringify(told))
  }
}

async function main () {
  console.log(JSON.stringify({ version: process.version, engine: 'V8 ' + process.versions.v8 }))
  for await (const line of createInterface({ input: process.stdin })) {
    const seconds = []
    for (let left = Number(line); left > 0; left--) {
      const began = process.hrtime.bigint()
      await runOnce()
      seconds.push(Number(process.hrtime.bigint() - began) / 1e9)
    }
    console.log(JSON.stringify(seconds))
  }
}

main()
