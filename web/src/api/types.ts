/** The API's types under the names that the pages use: the only place that knows the names of the generated schema. */
import type { components } from './schema'

type Schemas = components['schemas']

export type Alarm = Schemas['AlarmAnswer']
export type Camera = Schemas['CameraAnswer']
export type Device = Schemas['DeviceAnswer']
export type MediaAnswer = Schemas['MediaAnswer']
export type Me = Schemas['Me']
export type HistorySummary = Schemas['HistoryAnswer']
export type StateSpan = Schemas['StateSpanAnswer']
export type CurvePoint = Schemas['CurvePointAnswer']
export type NoticeChannel = Schemas['ChannelAnswer']
export type NoticeRule = Schemas['RuleAnswer']
export type Observation = Schemas['ObservationAnswer']
export type Run = Schemas['RunAnswer']
export type RunItinerary = Schemas['RunItinerary']
export type RunResult = Schemas['RunResultAnswer']
export type RunSteps = Schemas['RunSteps']
export type Seen = Schemas['SeenMessage']
export type Warm = Schemas['WarmMessage']
export type Screen = Schemas['ScreenAnswer']
/** A screen as its own page knows it. */
export type OwnScreen = Schemas['ScreenPage']
export type Scene = Schemas['SceneAnswer']
export type Sweep = Schemas['SweepAnswer']
export type System = Schemas['SystemAnswer']
export type Tour = Schemas['TourAnswer']
export type User = Schemas['UserAnswer']
export type Village = Schemas['VillageAnswer']
export type Viewer = Schemas['ViewerOfferAnswer']
export type FoundDevice = Schemas['FoundDeviceAnswer']
export type SweepPlan = Schemas['SweepPlanAnswer']
export type ItineraryStop = Schemas['ItineraryStopAnswer']
export type RunStep = Schemas['RunStepAnswer']
export type StopBody = Schemas['StopBody']
export type TourBody = Schemas['TourBody']
export type TourSource = Schemas['TourSourceAnswer']
export type TourTemplate = Schemas['TourTemplateAnswer']
export type SuggestedPlan = Schemas['SuggestedPlanAnswer']
export type PlaceStops = Schemas['PlaceStopsAnswer']
export type Job = Schemas['JobAnswer']
export type Match = Schemas['MatchAnswer']
export type MatchSide = Schemas['MatchSideAnswer']
export type Replacement = Schemas['ReplacementAnswer']
export type JobProgress = Schemas['JobProgressAnswer']
export type LoginProfile = Schemas['ProfileAnswer']
export type SubnetPreview = Schemas['SubnetPreviewAnswer']
export type DeviceRegistered = Schemas['DeviceRegistered']
export type Inbox = Schemas['InboxAnswer']
export type InboxCounts = Schemas['InboxCountsAnswer']
export type InboxDevice = Schemas['InboxDeviceAnswer']
export type InboxCamera = Schemas['InboxCameraAnswer']
export type Candidate = Schemas['CandidateAnswer']
export type SheetImport = Schemas['ImportAnswer']
export type ImportCounts = Schemas['ImportCountsAnswer']
export type ImportRow = Schemas['ImportRowAnswer']
export type ImportField = Schemas['ImportFieldAnswer']

export type Role = Me['role']
/** `16`, `1+5`, `3x4`: wall/layout.ts knows them. */
export type LayoutName = Scene['layout']
export type PlaceClass = Camera['place_class']

export type TileFigures = Schemas['TileFiguresAnswer']
export type Hello = Schemas['HelloMessage']
export type TileMessage = Schemas['TileMessage']
export type ViewerGone = Schemas['ViewerGoneMessage']
export type RelayNew = Schemas['RelayNewMessage']
export type Changed = Schemas['ChangedMessage']
export type Show = Schemas['ShowMessage']
export type Listen = Schemas['ListenMessage']
export type Heard = Schemas['HeardMessage']
export type TileState = TileMessage['state']
export type Topic = Changed['topic']

/** In the order in which pages list them. */
export const PLACE_CLASSES = ['key_road', 'key_unit', 'high_incidence', 'entrance', 'school', 'water', 'forest', 'field', 'square', 'other'] as const satisfies readonly PlaceClass[]

/** What a role may do (access.policy.Action); `Me.actions` lists those of the user. */
export type Action =
  | 'self'
  | 'read_villages'
  | 'view'
  | 'listen'
  | 'read_health'
  | 'acknowledge'
  | 'exclude'
  | 'intake'
  | 'register'
  | 'set_devices'
  | 'follow_jobs'
  | 'approve'
  | 'manage_villages'
  | 'manage_users'
  | 'edit_tours'
  | 'run_tours'
  | 'read_records'
  | 'sign_records'
  | 'check_county'
  | 'read_system'
  | 'manage_system'
  | 'manage_stream_tokens'
  | 'use_screens'
  | 'manage_screens'
  | 'steer'

export type Ptz = Schemas['PtzAnswer']
export type Preset = Schemas['PtzPresetAnswer']
export type PtzState = Schemas['PtzStateAnswer']
export type PtzMessage = Schemas['PtzStateMessage']
