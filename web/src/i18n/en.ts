import { assemble } from './words'

export default assemble(import.meta.glob('./en/*.ts', { eager: true }))
