/**
 * How the page is loaded. Its entry (`src/main.ts`) is small and asks the hub at once; everything else that the wall needs is
 * named in index.html, so that the browser fetches and compiles it meanwhile instead of finding it link by link.
 */
import { readFileSync } from 'node:fs'
import type { Plugin } from 'vite'

interface Chunk {
  type: 'chunk'
  fileName: string
  moduleIds: string[]
  imports: string[]
  viteMetadata?: { importedCss: Set<string> }
}
type Bundle = Record<string, Chunk | { type: 'asset'; fileName: string }>

/** A chunk and all that it imports, and their style sheets. */
export function filesOf(bundle: Bundle, first: string, files = new Set<string>()): Set<string> {
  const chunk = bundle[first]
  if (chunk?.type !== 'chunk' || files.has(first)) return files
  files.add(first)
  for (const css of chunk.viteMetadata?.importedCss ?? []) files.add(css)
  for (const name of chunk.imports) filesOf(bundle, name, files)
  return files
}

/** `modules`: those that are loaded with the page, by the end of their paths. Missing ones are an error. */
export function firstLoad(modules: readonly string[], script: string): Plugin {
  let hashed = ''
  return {
    name: 'first-load',
    apply: 'build',
    buildStart() {
      // Served under a name of its content, the check costs no request when the page is opened again.
      hashed = this.emitFile({ type: 'asset', name: script, source: readFileSync(`public/${script}`) })
    },
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle }) {
        if (!bundle) return
        const chunks = bundle as unknown as Bundle
        const files = new Set<string>()
        for (const end of modules) {
          const chunk = Object.values(chunks).find((one) => one.type === 'chunk' && one.moduleIds.some((id) => id.endsWith(end)))
          if (!chunk) throw new Error(`no chunk is made of ${end}`)
          filesOf(chunks, chunk.fileName, files)
        }
        const tags = [...files]
          .filter((file) => !html.includes(`/${file}"`))
          .map((file) => ({ tag: 'link', attrs: file.endsWith('.css') ? { rel: 'stylesheet', href: `/${file}` } : { rel: 'modulepreload', href: `/${file}` }, injectTo: 'head' as const }))
        const check = Object.values(chunks).find((one) => one.fileName.includes(script.replace(/\.js$/, '-')))
        if (!check) throw new Error(`${script} was not emitted as ${hashed}`)
        return { html: html.replace(`/${script}`, `/${check.fileName}`), tags }
      },
    },
  }
}
