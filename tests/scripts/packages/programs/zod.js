import { z } from 'zod'

export default async function main (say) {
  const Basket = z.object({ id: z.uuid(), total: z.coerce.number().positive(), items: z.array(z.string()).nonempty(), at: z.iso.datetime(), mail: z.email().optional() }).strict()
  const good = Basket.safeParse({ id: '109156be-c4fb-41ea-b1b4-efe1671c5836', total: '12.5', items: ['a'], at: '2026-03-06T16:00:00Z' })
  say(good.success, JSON.stringify(good.data))
  const bad = Basket.safeParse({ id: 'x', total: -1, items: [], at: 'noon', mail: 'a@', more: 1 })
  say(bad.success, bad.error instanceof z.ZodError, bad.error.message, JSON.stringify(z.treeifyError(bad.error)), z.prettifyError(bad.error))
  try { Basket.parse(null) } catch (error) { say(error.name, error.constructor.name, error instanceof Error, error.issues.length) }
  const Kind = z.discriminatedUnion('kind', [z.object({ kind: z.literal('a'), n: z.int() }), z.object({ kind: z.literal('b'), s: z.string().transform(s => s.length).pipe(z.number().max(3)) })])
  say(JSON.stringify(Kind.parse({ kind: 'b', s: 'abc' })), Kind.safeParse({ kind: 'c' }).error.issues[0].code, z.enum(['x', 'y']).safeParse('z').error.issues[0].message)
  say(JSON.stringify(z.toJSONSchema(z.object({ a: z.string().min(2), b: z.record(z.string(), z.date().or(z.null())) }), { unrepresentable: 'any' })))
  say(z.string().trim().toLowerCase().parse('  AbC '), z.bigint().safeParse(5n).success, z.map(z.string(), z.number()).parse(new Map([['a', 1]])).size, z.string().regex(/^\p{Lu}/u).safeParse('Éa').success)
  say(await z.string().refine(async value => value.length > 2, 'too short').safeParseAsync('ab').then(told => told.error.issues[0].message))
}
